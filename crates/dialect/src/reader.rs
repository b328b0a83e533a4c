//! Parses the events of an answer, each once, in any dialect.

#[cfg(test)]
mod tests;

use crate::{
    Dialect, anthropic,
    decode::RawEvent,
    events::{AnswerEvent, Fault},
    gemini, ollama,
    openai_chat::{self, ChunkTemplate},
    openai_responses,
    outcome::{ErrorCodeTable, Verdict},
};

/// Parses the events of an answer in its dialect.
#[derive(Debug)]
pub(crate) struct EventReader {
    dialect: Dialect,
    codes: ErrorCodeTable,
    /// The template of the next chunk of a chat completion: a matching chunk need not be parsed.
    alike: Option<ChunkTemplate>,
}

// === impl EventReader ===

impl EventReader {
    /// A reader with that table of codes.
    pub(crate) fn new(dialect: Dialect, codes: &ErrorCodeTable) -> Self {
        Self { dialect, codes: codes.clone(), alike: None }
    }

    /// A reader with a template of chunks, for callers that only need to know whether an event has content.
    pub(crate) fn learning(dialect: Dialect, codes: &ErrorCodeTable) -> Self {
        let alike = (dialect == Dialect::OpenAiChat).then(ChunkTemplate::default);
        Self { alike, ..Self::new(dialect, codes) }
    }

    /// Parses one event of a stream.
    pub(crate) fn read<'a>(&mut self, raw: &RawEvent<'a>) -> AnswerEvent<'a> {
        let codes = &self.codes;
        match self.dialect {
            Dialect::OpenAiChat => openai_chat::read(codes, raw, self.alike.as_mut()),
            Dialect::OpenAiResponses => openai_responses::read(codes, raw),
            Dialect::Anthropic => anthropic::read(codes, raw),
            Dialect::Gemini => gemini::read(codes, raw),
            Dialect::Ollama => ollama::read(codes, raw),
        }
    }

    /// Parses one event of a stream and passes it to `each`, with the data that it was parsed from. Bytes that are not UTF-8, as
    /// of a character that the provider cut in two, are parsed as U+FFFD, as clients do.
    pub(crate) fn read_lossy<T>(
        &mut self,
        raw: &RawEvent<'_>,
        each: impl FnOnce(&AnswerEvent<'_>, &RawEvent<'_>) -> T,
    ) -> T {
        let event = self.read(raw);
        let unreadable = matches!(event.fault, Some(Fault::Unreadable(_)));
        if !unreadable || std::str::from_utf8(raw.data).is_ok() {
            return each(&event, raw);
        }
        let text = String::from_utf8_lossy(raw.data);
        let raw = RawEvent { name: raw.name, data: text.as_bytes() };
        each(&self.read(&raw), &raw)
    }

    /// Parses an answer that was not streamed, or returns the verdict on a body without one. Some servers send white space before
    /// it to keep the connection open.
    pub(crate) fn read_whole<'a>(&self, body: &'a [u8]) -> Result<AnswerEvent<'a>, Verdict> {
        let codes = &self.codes;
        let event = match self.dialect {
            Dialect::OpenAiChat => openai_chat::read_whole(codes, body),
            Dialect::OpenAiResponses => openai_responses::read_whole(codes, body),
            Dialect::Anthropic => anthropic::read_whole(codes, body),
            Dialect::Gemini => gemini::read_whole(codes, body),
            Dialect::Ollama => ollama::read_whole(codes, body),
        }?;
        Ok(AnswerEvent { snapshot: true, ..event })
    }

    /// Whether an event has content, and nothing else that the event before it lacked.
    pub(crate) fn is_alike(&self, raw: &RawEvent<'_>) -> bool {
        let alike = self.alike.as_ref().filter(|_| raw.name.is_empty());
        alike.is_some_and(|alike| alike.is_like(raw.data))
    }

    /// The bytes after the server-sent event at the start of the bytes, if that is complete and matches the template.
    pub(crate) fn after_alike<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let alike = self.alike.as_ref()?;
        alike.after(bytes.strip_prefix(b"data: ")?)?.strip_prefix(b"\n\n")
    }
}

//! Edits a request in its own dialect, to reduce it; the rest stays as it is.

mod images;
mod max_tokens;
mod message;
mod reasoning;
mod requirements;
mod system_prompt;
#[cfg(test)]
mod tests;
mod tool_filter;
mod tools;
mod truncate_history;

use bytes::Bytes;

pub use requirements::Requirements;
pub use tool_filter::ToolFilter;
pub use truncate_history::DoesNotFit;

use crate::{AnswerForm, Dialect, RequestInfo, lazy_json::LazyJson};

/// A request body that is edited. Unchanged values keep their bytes.
#[derive(Debug)]
pub struct RequestEditor<'a> {
    dialect: Dialect,
    form: AnswerForm,
    body: LazyJson<'a>,
    changed: bool,
}

// === impl RequestEditor ===

impl<'a> RequestEditor<'a> {
    /// Opens the body of the request that `info` was parsed from; `None` if it is not a JSON object, its dialect is not known, or it
    /// is [too dense](RequestInfo::is_dense).
    pub fn open(info: &RequestInfo, body: &'a [u8]) -> Option<Self> {
        if info.is_dense() {
            return None;
        }
        Self::open_as(info.dialect()?, info.form(), body)
    }

    /// Opens a body in that dialect.
    fn open_as(dialect: Dialect, form: AnswerForm, body: &'a [u8]) -> Option<Self> {
        let mut body = LazyJson::read(body)?;
        // Its fields are asked for many times: the text is parsed into them once.
        body.fields()?;
        Some(Self { dialect, form, body, changed: false })
    }

    /// The body, if it was changed.
    pub fn close(self) -> Option<Bytes> {
        self.changed.then(|| self.body.json().into())
    }

    /// Asks for an unstreamed answer. If the path asks for the stream, as with Gemini, it has to be changed there:
    /// [`unstream_path`](crate::unstream_path).
    pub fn unstream(&mut self) {
        if self.dialect == Dialect::Gemini {
            return;
        }
        let streams = self.dialect == Dialect::Ollama
            || self.body.get("stream").is_some_and(|stream| stream.is_literal("true"));
        if streams {
            self.body.set("stream", LazyJson::of("false"));
            self.changed = true;
        }
        self.changed |= self.body.remove("stream_options");
    }

    /// The name of the field with the turns of the conversation.
    fn turns_name(&self) -> &'static str {
        match self.dialect {
            Dialect::OpenAiChat | Dialect::Anthropic | Dialect::Ollama => "messages",
            Dialect::OpenAiResponses => "input",
            Dialect::Gemini => "contents",
        }
    }

    /// The turns, mutable; `None` if there is no list of them.
    fn turns(&mut self) -> Option<&mut Vec<LazyJson<'a>>> {
        let name = self.turns_name();
        self.body.field(name).and_then(LazyJson::items)
    }
}

/// The first of two field names that exists, because Gemini takes both spellings.
fn spelled(node: &LazyJson<'_>, names: [&'static str; 2]) -> Option<&'static str> {
    names.into_iter().find(|name| node.get(name).is_some())
}

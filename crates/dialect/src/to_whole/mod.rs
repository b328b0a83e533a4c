//! Converts a stream to an unstreamed answer of the same dialect: for a caller that asked for one piece when the provider streamed
//! nevertheless.
//!
//! The answer has everything that the stream has: texts, reasoning, tool calls, finish reasons, usage and ids are in the fields
//! where unstreamed answers of the dialect have them, and unknown fields are kept. The stream was judged before: it is whole, and
//! has no error.

mod anthropic;
mod fold;
mod gemini;
mod merge;
mod ollama;
mod openai_chat;
mod openai_responses;
#[cfg(test)]
mod tests;

use serde_json::Value;

use self::{
    anthropic::Message,
    fold::{Fields, Fold},
    gemini::Chunks,
    ollama::Lines,
    openai_chat::Completion,
    openai_responses::Output,
};
use crate::{
    BodyForm, Dialect, Response, StreamFraming,
    decode::{RawEvent, each_event},
    json::trim_bom,
    reply::{JSON, relabel},
};

// === impl Dialect ===

impl Dialect {
    /// Converts a response whose body is that whole stream to an unstreamed answer; `None` if the stream is not an answer of this
    /// API. Its status, its extensions, and its headers except those about the body stay.
    pub fn whole_of<B>(self, response: http::Response<B>, stream: &[u8]) -> Option<Response> {
        let whole = self.folded(stream)?;
        let mut response = response.map(|_| whole.into());
        relabel(response.headers_mut(), JSON);
        Some(response)
    }

    /// The unstreamed form of a stream. Its first byte decides on its framing.
    pub(crate) fn folded(self, stream: &[u8]) -> Option<String> {
        let framing = match BodyForm::of(stream)? {
            BodyForm::Object => StreamFraming::JsonLines,
            BodyForm::Array => StreamFraming::SseOrArray,
            BodyForm::Text => StreamFraming::Sse,
            BodyForm::Page => return None,
        };
        let whole = match self {
            Self::OpenAiChat => fold::<Completion>(framing, stream),
            Self::OpenAiResponses => fold::<Output>(framing, stream),
            Self::Anthropic => fold::<Message>(framing, stream),
            Self::Gemini => fold::<Chunks>(framing, stream),
            Self::Ollama => fold::<Lines>(framing, stream),
        };
        whole.map(|whole| whole.to_string())
    }
}

fn fold<F: Fold>(framing: StreamFraming, stream: &[u8]) -> Option<Value> {
    let (mut answer, mut over) = (F::default(), false);
    each_event(framing, stream, |raw| {
        if over {
            return;
        }
        if trim_bom(raw.data).starts_with(b"[DONE]") {
            over = true;
        } else if let Some(event) = fields(&raw) {
            over = !answer.add(std::str::from_utf8(raw.name).unwrap_or_default(), event);
        }
    });
    answer.end()
}

/// The fields of an event; `None` for data that is not an object, which clients skip.
fn fields(raw: &RawEvent<'_>) -> Option<Fields> {
    let text = String::from_utf8_lossy(trim_bom(raw.data));
    serde_json::from_str(&text).ok()
}

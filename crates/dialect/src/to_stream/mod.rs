//! Converts an unstreamed answer to a stream of the same dialect: for a caller that asked for a stream when the target was asked
//! for an unstreamed answer, or when the answer was stored.
//!
//! The stream has everything that the answer has: texts, tool calls, finish reasons and usage are in the fields where streams of
//! the dialect have them, and unknown fields are kept.

mod anthropic;
mod gemini;
mod ollama;
mod one_line;
mod openai_chat;
mod openai_responses;
#[cfg(test)]
mod tests;

use crate::{
    AnswerForm, Dialect, RequestInfo, Response,
    lazy_json::LazyJson,
    reply::{EVENTS, JSON, LINES, relabel},
};

// === impl Dialect ===

impl Dialect {
    /// The stream of an unstreamed answer, and its content type; `None` if the body is not an answer of this API.
    pub(crate) fn streamed(
        self,
        body: &[u8],
        info: &RequestInfo,
    ) -> Option<(&'static str, String)> {
        let answer = LazyJson::read(crate::json::trim_bom(body))?;
        Some(match self {
            Self::OpenAiChat => (EVENTS, openai_chat::stream(answer, info.stream_usage)?),
            Self::OpenAiResponses => (EVENTS, openai_responses::stream(answer)?),
            Self::Anthropic => (EVENTS, anthropic::stream(answer)?),
            Self::Gemini => {
                let kind = if info.form == AnswerForm::Array { JSON } else { EVENTS };
                (kind, gemini::stream(&answer, info.form)?)
            }
            Self::Ollama => (LINES, ollama::stream(answer)?),
        })
    }

    /// Converts a response with those bytes as its body to the stream that `info` asks for; `None` if the bytes are not an answer
    /// of this API. Its status, its extensions, and its headers except those about the body stay.
    pub fn stream_of<B>(
        self,
        response: http::Response<B>,
        body: &[u8],
        info: &RequestInfo,
    ) -> Option<Response> {
        let (kind, stream) = self.streamed(body, info)?;
        let mut response = response.map(|_| stream.into());
        relabel(response.headers_mut(), kind);
        Some(response)
    }
}

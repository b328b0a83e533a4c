//! An answer that was not streamed, as the stream of it, in the same dialect: for a caller who asked for a stream where the
//! target was asked without, or where an answer was stored.
//!
//! Whatever stands in the answer stands in the stream: the texts, calls of tools, reasons to end and usage are put where
//! the streams of the dialect have them, and fields nobody here knows go along.

mod anthropic;
mod gemini;
mod ollama;
mod one_line;
mod openai_chat;
mod openai_responses;
#[cfg(test)]
mod tests;

use http::{HeaderValue, header};

use crate::{
    AnswerForm, Dialect, RequestInfo, Response,
    lazy_json::LazyJson,
    reply::{EVENTS, JSON, LINES},
};

// === impl Dialect ===

impl Dialect {
    /// The stream of an answer that was not streamed, and its content type; `None` where the body is none of this API.
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

    /// Turns a response whose body is those bytes into the stream that `info` asks for; `None` where the bytes are no answer of
    /// this API. Its status, its headers but for type and length, and its extensions stay.
    pub fn stream_of<B>(
        self,
        response: http::Response<B>,
        body: &[u8],
        info: &RequestInfo,
    ) -> Option<Response> {
        let (kind, stream) = self.streamed(body, info)?;
        let mut response = response.map(|_| stream.into());
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        Some(response)
    }
}

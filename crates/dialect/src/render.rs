//! Renders a synthetic reply, in any dialect.

use crate::{
    Dialect, RequestInfo, Response, SyntheticReply, anthropic, gemini, ollama, openai_chat,
    openai_responses,
};

// === impl Dialect ===

impl Dialect {
    /// Renders a reply as an answer of this API, as JSON or as a stream, as `info` asks.
    pub fn render<'a>(self, reply: impl Into<SyntheticReply<'a>>, info: &RequestInfo) -> Response {
        let reply = reply.into();
        match self {
            Self::OpenAiChat => openai_chat::render(reply, info),
            Self::OpenAiResponses => openai_responses::render(reply, info),
            Self::Anthropic => anthropic::render(reply, info),
            Self::Gemini => gemini::render(reply, info),
            Self::Ollama => ollama::render(reply, info),
        }
    }
}

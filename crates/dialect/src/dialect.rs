//! The dialects, and how their streams are framed.

/// The wire language of an API. Put one into a request's extensions to set it for that call, whatever its path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// OpenAI chat completions, and every server compatible with them: `…/chat/completions`.
    OpenAiChat,
    /// OpenAI responses: `…/responses`.
    OpenAiResponses,
    /// Anthropic messages: `…/v1/messages`.
    Anthropic,
    /// Gemini: `…/models/M:generateContent`, and `:streamGenerateContent` as events or as one JSON array.
    Gemini,
    /// Ollama: `…/api/chat` and `…/api/generate`.
    Ollama,
}

/// How the events of a stream are framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamFraming {
    /// Server-sent events.
    Sse,
    /// Server-sent events, or one JSON array: the first byte that is not white space decides.
    SseOrArray,
    /// One JSON object per line.
    JsonLines,
}

// === impl Dialect ===

impl Dialect {
    /// How its streams are framed.
    pub fn framing(self) -> StreamFraming {
        match self {
            Self::OpenAiChat | Self::OpenAiResponses | Self::Anthropic => StreamFraming::Sse,
            Self::Gemini => StreamFraming::SseOrArray,
            Self::Ollama => StreamFraming::JsonLines,
        }
    }
}

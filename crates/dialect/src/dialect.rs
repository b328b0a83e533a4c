//! The dialects, and the framing of their streams.

/// The wire language of an API. Put one into the extensions of a request to set its dialect, whatever its path is.
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

/// The framing of the events of a stream.
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
    /// Every dialect.
    pub const ALL: [Self; 5] =
        [Self::OpenAiChat, Self::OpenAiResponses, Self::Anthropic, Self::Gemini, Self::Ollama];

    /// The name in configurations and headers, such as `openai-chat`.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai-chat",
            Self::OpenAiResponses => "openai-responses",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Ollama => "ollama",
        }
    }

    /// The framing of the dialect's streams.
    pub fn framing(self) -> StreamFraming {
        match self {
            Self::OpenAiChat | Self::OpenAiResponses | Self::Anthropic => StreamFraming::Sse,
            Self::Gemini => StreamFraming::SseOrArray,
            Self::Ollama => StreamFraming::JsonLines,
        }
    }
}

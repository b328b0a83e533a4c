//! Judges an answer that was not streamed, in any dialect.

use crate::{
    Dialect, Expected, Tokens, anthropic, gemini, ollama, openai_chat, openai_responses,
    outcome::{Outcome, Verdict},
};

// === impl Dialect ===

impl Dialect {
    /// Reads an answer that was not streamed: its outcome, which is [`Outcome::Success`] or [`Outcome::Blocked`], or the verdict why
    /// it is no answer (empty, malformed, cut, an error inside a 200); and what it cost, where the answer says so.
    pub fn check(
        self,
        expected: impl Into<Expected>,
        body: &[u8],
    ) -> (Result<Outcome, Verdict>, Option<Tokens>) {
        match self {
            Self::OpenAiChat => openai_chat::check(expected, body),
            Self::OpenAiResponses => openai_responses::check(expected, body),
            Self::Anthropic => anthropic::check(expected, body),
            Self::Gemini => gemini::check(expected, body),
            Self::Ollama => ollama::check(expected, body),
        }
    }
}

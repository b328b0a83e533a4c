//! Follows a stream to its end, in any dialect.

use crate::{
    Dialect, Tokens, anthropic, gemini, ollama, openai_chat, openai_responses,
    progress::{Expected, Progress},
};
use crate::{FrameSummary, outcome::Outcome};

/// Reads the events of a stream, one after the other.
#[derive(Debug)]
pub(crate) enum Follower {
    OpenAiChat(openai_chat::Follower),
    OpenAiResponses(openai_responses::Follower),
    Anthropic(anthropic::Follower),
    Gemini(gemini::Follower),
    Ollama(ollama::Follower),
}

// === impl Dialect ===

impl Dialect {
    /// Reads the events of one stream.
    pub(crate) fn follower(self, expected: impl Into<Expected>) -> Follower {
        let expected = expected.into();
        match self {
            Self::OpenAiChat => Follower::OpenAiChat(openai_chat::Follower::new(expected)),
            Self::OpenAiResponses => {
                Follower::OpenAiResponses(openai_responses::Follower::new(expected))
            }
            Self::Anthropic => Follower::Anthropic(anthropic::Follower::new(expected)),
            Self::Gemini => Follower::Gemini(gemini::Follower::new(expected)),
            Self::Ollama => Follower::Ollama(ollama::Follower::new(expected)),
        }
    }
}

// === impl Follower ===

impl Follower {
    /// Reads one event, by its name and data, and adds what it says.
    pub(crate) fn event(&mut self, name: &[u8], data: &[u8], seen: &mut FrameSummary) {
        match self {
            Self::OpenAiChat(follower) => follower.event(name, data, seen),
            Self::OpenAiResponses(follower) => follower.event(name, data, seen),
            Self::Anthropic(follower) => follower.event(name, data, seen),
            Self::Gemini(follower) => follower.event(name, data, seen),
            Self::Ollama(follower) => follower.event(data, seen),
        }
    }

    /// Reads the event at the beginning in a shorter way, if it is one more of those that came before: its data, up to
    /// the blank line. What comes after it, if so. Only before the last word of the API.
    pub(crate) fn short<'a>(
        &mut self,
        data: &'a [u8],
        seen: &mut FrameSummary,
    ) -> Option<&'a [u8]> {
        match self {
            Self::OpenAiChat(follower) => follower.short(data, seen),
            _ => None,
        }
    }

    /// What frames the events has closed: nothing more comes.
    pub(crate) fn end(&mut self, seen: &mut FrameSummary) {
        if let Self::Gemini(follower) = self {
            follower.end(seen);
        }
    }

    /// Whether the API has said its last word: what comes after it means nothing.
    pub(crate) fn is_over(&self) -> bool {
        self.progress().is_over()
    }

    /// What the stream came to if nothing more came. Truncated until the API's own end has been seen.
    pub(crate) fn outcome(&self) -> Outcome {
        self.progress().outcome()
    }

    /// What the answer cost, once that was said.
    pub(crate) fn tokens(&self) -> Option<Tokens> {
        self.progress().tokens
    }

    fn progress(&self) -> &Progress {
        match self {
            Self::OpenAiChat(follower) => follower.progress(),
            Self::OpenAiResponses(follower) => follower.progress(),
            Self::Anthropic(follower) => follower.progress(),
            Self::Gemini(follower) => follower.progress(),
            Self::Ollama(follower) => follower.progress(),
        }
    }
}

//! The wire languages of AI APIs.

mod ask;
pub(crate) mod openai_chat;

pub use ask::Ask;

use bytes::Bytes;

use crate::{Response, classify::Verdict, stream::Seen};

/// The wire language of an API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// OpenAI chat completions, and every server compatible with them: `…/chat/completions`.
    OpenAiChat,
}

/// Reads the events of a stream, one after the other.
#[derive(Debug)]
pub(crate) enum Follower {
    OpenAiChat(openai_chat::Follower),
}

// === impl Dialect ===

impl Dialect {
    /// The dialect spoken at a path, if it is one we know.
    pub fn of_path(path: &str) -> Option<Self> {
        path.trim_end_matches('/').ends_with("/chat/completions").then_some(Self::OpenAiChat)
    }

    /// What a whole answer that was not streamed came to: a success, empty, malformed, or an error inside a 200.
    pub(crate) fn check(self, body: &[u8]) -> Verdict {
        match self {
            Self::OpenAiChat => openai_chat::check(body),
        }
    }

    /// Reads the events of one stream.
    pub(crate) fn follower(self) -> Follower {
        match self {
            Self::OpenAiChat => Follower::OpenAiChat(openai_chat::Follower::default()),
        }
    }

    /// The body with another model. The rest stays as it was, in its order.
    pub(crate) fn with_model(self, body: &Bytes, model: &str) -> Bytes {
        match self {
            Self::OpenAiChat => openai_chat::with_model(body, model),
        }
    }

    /// A text as an answer of this API, as JSON or as a stream, whichever was asked.
    pub(crate) fn render(self, text: &str, ask: &Ask) -> Response {
        match self {
            Self::OpenAiChat => openai_chat::render(text, ask),
        }
    }
}

// === impl Follower ===

impl Follower {
    /// Reads the data of one event and adds what it says.
    pub(crate) fn event(&mut self, data: &[u8], seen: &mut Seen) {
        match self {
            Self::OpenAiChat(follower) => follower.event(data, seen),
        }
    }

    /// Whether the API's own end has been seen.
    pub(crate) fn is_whole(&self) -> bool {
        match self {
            Self::OpenAiChat(follower) => follower.is_whole(),
        }
    }
}

//! Watches the bytes of a stream: decodes its events and reads them in their dialect (stub).

use bytes::Bytes;

use crate::{
    classify::{Outcome, Verdict},
    dialect::{Dialect, Follower},
};

/// What a piece of a stream said.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Events of any kind.
    pub(crate) events: u32,
    /// Events with content: text, reasoning, tool calls; not roles, pings, comments, metadata.
    pub(crate) content: u32,
    /// An error in the stream, or an event that is not of its dialect: the first.
    pub(crate) failed: Option<Verdict>,
}

/// Watches one stream.
#[derive(Debug)]
pub(crate) struct Watch {
    follower: Follower,
}

impl Seen {
    /// Bytes of a stream without a dialect: content, if there are any.
    pub(crate) fn bytes(any: bool) -> Self {
        Self { events: any.into(), content: any.into(), failed: None }
    }
}

impl Watch {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self { follower: dialect.follower() }
    }

    /// Reads the next bytes.
    pub(crate) fn feed(&mut self, bytes: &Bytes) -> Seen {
        let mut seen = Seen::default();
        self.follower.event(bytes, &mut seen);
        seen
    }

    /// Whether the API's own end has been seen.
    pub(crate) fn is_whole(&self) -> bool {
        self.follower.is_whole()
    }

    /// The bytes are over: reads what is left, and tells what the stream came to.
    pub(crate) fn finish(&mut self) -> Outcome {
        if self.is_whole() { Outcome::Success } else { Outcome::Truncated }
    }
}

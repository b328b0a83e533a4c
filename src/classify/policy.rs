//! The configuration of how an answer is read.

use crate::{
    ConfigError,
    outcome::ErrorCodeTable,
    stream::{CommitPolicy, HoldLimits},
};

/// How far an answer is read before it is handed on.
///
/// # Defaults
///
/// | | |
/// |---|---|
/// | [`commit`](Self::commit) | at the first event with content: a user sees words as they arrive |
/// | [`hold_events`](Self::hold_events) | 64: no provider sends this many before its first content |
/// | [`hold_bytes`](Self::hold_bytes) | 256 KiB: the same, including comments |
/// | [`collect`](Self::collect) | 32 MiB: larger than any text answer; a few pictures are larger |
/// | [`codes`](Self::codes) | the built-in table |
#[derive(Clone, Debug)]
pub struct ClassifyPolicy {
    pub(crate) hold: HoldLimits,
    pub(crate) collect: usize,
    pub(crate) codes: ErrorCodeTable,
}

// === impl ClassifyPolicy ===

impl ClassifyPolicy {
    /// When a stream is handed to the caller.
    #[must_use]
    pub fn commit(mut self, commit: CommitPolicy) -> Self {
        self.hold.commit = commit;
        self
    }

    /// The most events without content that are held back; after that the stream is handed on as it is. Default: 64.
    #[must_use]
    pub fn hold_events(mut self, events: u32) -> Self {
        self.hold.events = events;
        self
    }

    /// The most bytes that are held back without content; after that the stream is handed on as it is. Default: 256 KiB.
    #[must_use]
    pub fn hold_bytes(mut self, bytes: usize) -> Self {
        self.hold.bytes = bytes;
        self
    }

    /// The most bytes that are collected of an answer that is not streamed, or of a stream with [`CommitPolicy::Complete`]; a
    /// larger answer is passed through. Default: 32 MiB.
    #[must_use]
    pub fn collect(mut self, bytes: usize) -> Self {
        self.collect = bytes;
        self.hold.whole = bytes;
        self
    }

    /// The error codes of the providers: add custom ones to the table. They apply to error bodies, to errors inside a stream and
    /// to errors inside a 200.
    #[must_use]
    pub fn codes(mut self, codes: ErrorCodeTable) -> Self {
        self.codes = codes;
        self
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let least = |field: &str, value: u64| match value {
            0 => Err(ConfigError::new(field, value, "1 or more")),
            _ => Ok(()),
        };
        least("classify.hold_events", self.hold.events.into())?;
        least("classify.hold_bytes", self.hold.bytes as u64)?;
        least("classify.collect", self.collect as u64)
    }
}

impl Default for ClassifyPolicy {
    fn default() -> Self {
        const COLLECT: usize = 32 * 1024 * 1024;
        let commit = CommitPolicy::FirstContent;
        let hold = HoldLimits { commit, events: 64, bytes: 256 * 1024, whole: COLLECT };
        Self { hold, collect: COLLECT, codes: ErrorCodeTable::default() }
    }
}

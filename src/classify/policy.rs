//! Sets how an answer is read.

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
/// | [`commit`](Self::commit) | at the first event with content: a person sees words as they come |
/// | [`hold_events`](Self::hold_events) | 64: no provider sends as many before its first content |
/// | [`hold_bytes`](Self::hold_bytes) | 256 KiB: the same, with the comments in between |
/// | [`collect`](Self::collect) | 32 MiB: no answer of a model is as large, a few pictures are |
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

    /// As many events without content are held back; then the stream is handed on as it is.
    #[must_use]
    pub fn hold_events(mut self, events: u32) -> Self {
        self.hold.events = events;
        self
    }

    /// As many bytes are held back while there is no content; then the stream is handed on as it is.
    #[must_use]
    pub fn hold_bytes(mut self, bytes: usize) -> Self {
        self.hold.bytes = bytes;
        self
    }

    /// As many bytes are collected of an answer that is not streamed, or of a stream with [`CommitPolicy::Complete`]; a larger
    /// one is passed through.
    #[must_use]
    pub fn collect(mut self, bytes: usize) -> Self {
        self.collect = bytes;
        self.hold.whole = bytes;
        self
    }

    /// The codes of the providers: add those of yours to the table. They hold for the body of an error, for an error inside
    /// a stream and for one inside a 200.
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

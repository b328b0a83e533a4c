//! What some bytes of a stream have.

use crate::outcome::Verdict;

/// The summary of some bytes of a stream.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct FrameSummary {
    /// Events of any kind. Comments are not counted.
    pub events: u32,
    /// Events with content: text, reasoning, tool calls; not roles, pings, comments, metadata.
    pub content: u32,
    /// Whether a tool of the provider is running: its progress, or a ping while it runs. It ends a silence, and is not content.
    pub works: bool,
    /// The first error in the stream, or the first event that is not of its dialect.
    pub failed: Option<Verdict>,
}

// === impl FrameSummary ===

impl FrameSummary {
    /// The summary of bytes of a stream without a dialect: content, if `any`.
    pub fn bytes(any: bool) -> Self {
        Self { events: any.into(), content: any.into(), ..Self::default() }
    }

    /// Records a failure. The first is kept.
    pub fn fail(&mut self, verdict: Verdict) {
        self.failed.get_or_insert(verdict);
    }
}

//! The pulse of an attempt: how what reads ahead inside an attempt tells the attempt's clock that content has come.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

/// Counts the pieces of content of an attempt that is not handed on yet.
///
/// Where a stream is held back beyond its first content (until it is complete, say), the attempt is alive as long as
/// content comes: after the first beat its clock is the idle one, set anew by each. Without beats the first content has
/// to be handed on by the attempt's own limit.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProgressSignal(Arc<AtomicU32>);

// === impl ProgressSignal ===

impl ProgressSignal {
    /// Content has come and is held back.
    pub(crate) fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Beats so far; wraps around, so only a difference says something.
    pub(crate) fn beats(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// When the first content of an answer came, in the extensions of one that was held back beyond it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstContentAt(pub(crate) tokio::time::Instant);

/// By when a whole stream has ended, in the extensions of its answer: what goes on with the stream has no longer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamDeadline(pub(crate) tokio::time::Instant);

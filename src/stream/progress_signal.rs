//! The progress of an attempt: the code that reads ahead reports to the attempt's clock that content has arrived.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

/// Counts the pieces of content of an attempt that is not handed on yet.
///
/// Where a stream is held back beyond its first content (until it is complete, for example), the attempt is alive while content
/// arrives: after the first beat its limit is the idle one, restarted by each beat. Without beats the first content has to be
/// handed on within the attempt's own limit.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProgressSignal(Arc<AtomicU32>);

// === impl ProgressSignal ===

impl ProgressSignal {
    /// Records that content has arrived and is held back.
    pub(crate) fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// The number of beats so far; wraps around, so only a difference is meaningful.
    pub(crate) fn beats(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// When the first content of an answer arrived; in the extensions of an answer that was held back beyond it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstContentAt(pub(crate) tokio::time::Instant);

/// The time limit of a whole stream; in the extensions of its answer. It also applies to the answer that continues the stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamDeadline(pub(crate) tokio::time::Instant);

//! The time that a call has waited in our own queues, which is not latency of the provider.

use std::{
    mem,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use crate::sync::lock_std as lock;

/// The time of a call in our own queues. A handle: the hedge puts it into the request, the limits below enter and leave.
#[derive(Clone, Debug, Default)]
pub(crate) struct QueueTime(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    spent: Mutex<Spent>,
    left: Notify,
}

#[derive(Debug, Default)]
struct Spent {
    since: Option<Instant>,
    before: Duration,
}

/// A stay in a queue, until it is dropped.
#[derive(Debug)]
pub(crate) struct InQueue(QueueTime);

// === impl QueueTime ===

impl QueueTime {
    /// Enters a queue.
    pub(crate) fn enter(&self) -> InQueue {
        lock(&self.0.spent).since = Some(Instant::now());
        InQueue(self.clone())
    }

    /// The total waiting time.
    pub(crate) fn total(&self) -> Duration {
        let spent = lock(&self.0.spent);
        spent.before + spent.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn is_queued(&self) -> bool {
        lock(&self.0.spent).since.is_some()
    }

    /// Waits until the call is in no queue.
    pub(crate) async fn left(&self) {
        while self.is_queued() {
            // There is one waiter: a notification before the wait is stored.
            self.0.left.notified().await;
        }
    }
}

// === impl InQueue ===

impl Drop for InQueue {
    fn drop(&mut self) {
        let mut spent = lock(&self.0.0.spent);
        if let Some(since) = mem::take(&mut spent.since) {
            spent.before += since.elapsed();
        }
        drop(spent);
        self.0.0.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn all_the_time_in_queues_is_counted_and_no_other() {
        let (time, second) = (QueueTime::default(), Duration::from_secs(1));
        assert!(time.left().now_or_never().is_some());
        for _ in 0..2 {
            let queued = time.enter();
            advance(second).await;
            assert!(time.left().now_or_never().is_none());
            drop(queued);
            advance(second).await;
            assert!(time.left().now_or_never().is_some());
        }
        assert_eq!(time.total(), 2 * second);
        let _queued = time.enter();
        advance(second).await;
        assert_eq!(time.total(), 3 * second);
    }
}

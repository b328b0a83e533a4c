//! The bytes of answers that wait for slow readers, over all connections.
//!
//! An answer gets its next part while less than [`AHEAD`] of it wait. Parts may be large, and connections many: above the budget, it
//! gets its next part only once the last has been written.
//!
//! Heads and the framing of chunks are written but not counted, so that the count of a connection is low by them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use futures_util::task::AtomicWaker;

/// The bytes that an answer may be ahead of its socket, which has a buffer of its own.
const AHEAD: usize = 16 * 1024;

/// The budget of all connections.
#[derive(Debug)]
pub(super) struct WriteBudget {
    limit: usize,
    used: AtomicUsize,
}

/// The part of a connection. Dropping it returns its bytes.
#[derive(Debug)]
pub(super) struct Buffered {
    budget: Arc<WriteBudget>,
    /// Bytes that were handed to hyper and are not written.
    bytes: AtomicUsize,
    /// Waits until they are.
    waiter: AtomicWaker,
}

// === impl WriteBudget ===

impl WriteBudget {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0) })
    }

    pub(super) fn connection(self: &Arc<Self>) -> Buffered {
        let (bytes, waiter) = (AtomicUsize::new(0), AtomicWaker::new());
        Buffered { budget: self.clone(), bytes, waiter }
    }

    /// The bytes above the limit.
    pub(super) fn excess(&self) -> usize {
        self.used.load(Relaxed).saturating_sub(self.limit)
    }
}

// === impl Buffered ===

impl Buffered {
    /// Waits until the answer may have its next part.
    pub(super) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let has_room = || match self.bytes() {
            0 => true,
            bytes => bytes < AHEAD && self.budget.excess() == 0,
        };
        if has_room() {
            return Poll::Ready(());
        }
        self.waiter.register(cx.waker());
        if has_room() { Poll::Ready(()) } else { Poll::Pending }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    /// hyper has these bytes.
    pub(super) fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Relaxed);
        self.budget.used.fetch_add(bytes, Relaxed);
    }

    /// The socket has these bytes.
    pub(super) fn remove(&self, written: usize) {
        // Only the task of the connection changes it.
        let counted = self.bytes().min(written);
        self.budget.used.fetch_sub(counted, Relaxed);
        if self.bytes.fetch_sub(counted, Relaxed) - counted < AHEAD {
            self.waiter.wake();
        }
    }
}

impl Drop for Buffered {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes(), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn has_room(buffered: &Buffered) -> bool {
        buffered.poll_room(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn above_the_budget_an_answer_waits_for_its_own_bytes_and_not_for_those_of_others() {
        let budget = WriteBudget::new(100);
        let (slow, quick) = (budget.connection(), budget.connection());
        slow.add(100);
        assert!(has_room(&slow), "the budget itself may be used");
        slow.add(1);
        assert!(!has_room(&slow) && has_room(&quick));
        quick.add(7);
        assert!(!has_room(&quick));
        assert_eq!(budget.excess(), 8);
        quick.remove(7);
        assert!(has_room(&quick) && !has_room(&slow));
        drop(slow);
        assert_eq!(budget.used.load(Relaxed), 0);
    }

    #[test]
    fn an_answer_is_not_far_ahead_of_its_socket() {
        let budget = WriteBudget::new(AHEAD * 10);
        let one = budget.connection();
        one.add(AHEAD - 1);
        assert!(has_room(&one));
        one.add(AHEAD);
        assert!(!has_room(&one));
        one.remove(AHEAD);
        assert!(has_room(&one));
    }

    #[test]
    fn heads_that_are_written_are_not_returned_to_the_budget() {
        let budget = WriteBudget::new(10);
        let one = budget.connection();
        one.add(5);
        one.remove(300);
        one.add(5);
        assert_eq!((one.bytes(), budget.used.load(Relaxed)), (5, 5));
    }
}

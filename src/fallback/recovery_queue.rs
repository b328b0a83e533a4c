//! The queue in which calls wait for recovery: one call at a time tries again, the oldest first.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use crate::{
    route_state::{AtRest, Rest},
    sync::lock_std as lock,
    time::saturating_add,
};

/// A queue that lets one call through at a time, in the order of the [`QueueTicket`]s. A call that goes back to waiting keeps its
/// ticket, and so its place.
#[derive(Clone, Default)]
pub(super) struct RecoveryQueue(Arc<Mutex<Queue>>);

#[derive(Default)]
struct Queue {
    next: u64,
    taken: bool,
    /// When the last call went through.
    passed: Option<Instant>,
    /// The waiting calls, by ticket. At most one entry for each call under way.
    waiting: BTreeMap<u64, Arc<Notify>>,
}

/// A call's place in the order.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueueTicket(u64);

/// The turn of one call. Dropping it passes the turn to the next call.
pub(super) struct QueueTurn(RecoveryQueue);

/// A waiting call. Dropping it leaves the queue, and passes on a turn it was given in the meantime.
struct Waiting<'a> {
    gate: &'a RecoveryQueue,
    ticket: QueueTicket,
    called: Arc<Notify>,
    done: bool,
}

// === impl RecoveryQueue ===

impl RecoveryQueue {
    /// Issues a ticket behind all others.
    pub(super) fn ticket(&self) -> QueueTicket {
        let mut queue = lock(&self.0);
        queue.next += 1;
        QueueTicket(queue.next)
    }

    /// Waits for the turn of `ticket`.
    pub(super) async fn turn(&self, ticket: QueueTicket) -> QueueTurn {
        let called = Arc::new(Notify::new());
        lock(&self.0).waiting.insert(ticket.0, called.clone());
        let mut waiting = Waiting { gate: self, ticket, called, done: false };
        self.call_next();
        waiting.called.notified().await;
        waiting.done = true;
        QueueTurn(self.clone())
    }

    /// When the next call may go through: `apart` after the last.
    pub(super) fn opens(&self, apart: Duration) -> Instant {
        lock(&self.0).passed.map_or_else(Instant::now, |last| saturating_add(last, apart))
    }

    /// Records that a call goes through now.
    pub(super) fn passed(&self) {
        lock(&self.0).passed = Some(Instant::now());
    }

    /// Gives a free turn to the waiting call with the oldest ticket.
    fn call_next(&self) {
        let mut queue = lock(&self.0);
        if queue.taken {
            return;
        }
        if let Some((_, first)) = queue.waiting.pop_first() {
            queue.taken = true;
            // `Notify` stores the permit if the call does not wait for it yet.
            first.notify_one();
        }
    }

    fn free(&self) {
        lock(&self.0).taken = false;
        self.call_next();
    }
}

/// A waiting call holds a clone of its queue, so a queue in use is not evicted.
impl AtRest for RecoveryQueue {
    fn rest(&self, _: Instant) -> Rest {
        if Arc::strong_count(&self.0) > 1 { Rest::Busy } else { Rest::Settled }
    }
}

impl fmt::Debug for RecoveryQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecoveryQueue({} waiting)", lock(&self.0).waiting.len())
    }
}

// === impl QueueTurn ===

impl Drop for QueueTurn {
    fn drop(&mut self) {
        self.0.free();
    }
}

// === impl Waiting ===

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let left = lock(&self.gate.0).waiting.remove(&self.ticket.0);
        if left.is_none() {
            // The turn was given, but never received.
            self.gate.free();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn one_at_a_time_and_the_oldest_first() {
        let gate = RecoveryQueue::default();
        let tickets: Vec<_> = (0..4).map(|_| gate.ticket()).collect();
        let first = gate.turn(tickets[3]).now_or_never().expect("nobody else is there");
        let mut waiting: Vec<_> =
            tickets.iter().map(|ticket| Box::pin(gate.turn(*ticket))).collect();
        for turn in waiting.iter_mut().rev() {
            assert!(turn.now_or_never().is_none());
        }
        drop(first);
        for (n, turn) in waiting.iter_mut().enumerate() {
            assert!(turn.now_or_never().is_some(), "{n}");
        }
    }

    #[test]
    fn one_who_leaves_takes_no_turn_with_him() {
        let gate = RecoveryQueue::default();
        let tickets: Vec<_> = (0..3).map(|_| gate.ticket()).collect();
        let first = gate.turn(tickets[0]).now_or_never().expect("nobody else is there");
        let mut gone = Box::pin(gate.turn(tickets[1]));
        let mut stays = Box::pin(gate.turn(tickets[2]));
        assert!((&mut gone).now_or_never().is_none() && (&mut stays).now_or_never().is_none());
        // The dropped waiter was given the turn, and never received it.
        drop(first);
        drop(gone);
        assert!(stays.now_or_never().is_some());
        assert!(lock(&gate.0).waiting.is_empty());
    }

    #[test]
    fn one_who_leaves_before_his_turn_is_forgotten() {
        let gate = RecoveryQueue::default();
        let turn = gate.turn(gate.ticket()).now_or_never().expect("nobody else is there");
        let mut gone = Box::pin(gate.turn(gate.ticket()));
        assert!((&mut gone).now_or_never().is_none());
        drop(gone);
        drop(turn);
        assert!(!lock(&gate.0).taken && lock(&gate.0).waiting.is_empty());
    }
}

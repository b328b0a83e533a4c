//! What one connection does at the moment, and for how long it has waited for its peer.

use std::{
    sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::{
    moment::Moment,
    waiting::{Waiting, Worth},
    write_budget::Buffered,
};
use crate::limits::EdgeLimits;

/// What one connection does. Its own task writes it; the sweep and the admission of other connections read it.
#[derive(Debug)]
pub(super) struct Activity {
    opened: Instant,
    phase: AtomicU8,
    /// Whether a request has been answered on it.
    served: AtomicBool,
    /// The start of the phase.
    phase_since: Moment,
    /// Since when the server waits for bytes of a request body.
    body_since: Moment,
    /// Since when the peer takes no bytes.
    write_since: Moment,
    buffered: Buffered,
    order: AtomicU8,
    ordered: Notify,
}

/// The part of a request that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// No byte of the next request has arrived.
    Idle,
    /// The head of a request has begun.
    Head,
    /// A request is being answered.
    Call,
}

/// What a connection is asked to do. A later one in this list replaces an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Order {
    /// To go on.
    None,
    /// To make room for another, if it still waits for its peer.
    Yield,
    /// To end after its answer.
    Finish,
    /// To end.
    Cut,
}

/// The time in which the head of a request usually arrives.
const FRESH: Duration = Duration::from_secs(1);
/// The time without progress after which a call is closed in favour of another connection.
pub(super) const STALLED: Duration = Duration::from_secs(5);
/// During the drain: the time for a head that has begun, and for a body that has stopped.
const DRAIN_HEAD: Duration = Duration::from_millis(250);
const DRAIN_BODY: Duration = Duration::from_secs(2);
/// A body ends its own call, with an answer, at its limit. This much later the connection is closed without one.
const BODY_GRACE: Duration = Duration::from_secs(2);

// === impl Activity ===

impl Activity {
    pub(super) fn new(now: Instant, buffered: Buffered) -> Self {
        let activity = Self {
            opened: now,
            phase: AtomicU8::new(Phase::Idle as u8),
            served: AtomicBool::new(false),
            phase_since: Moment::default(),
            body_since: Moment::default(),
            write_since: Moment::default(),
            buffered,
            order: AtomicU8::new(Order::None as u8),
            ordered: Notify::new(),
        };
        activity.phase_since.set(activity.opened, now);
        activity
    }

    pub(super) fn phase(&self) -> Phase {
        match self.phase.load(Relaxed) {
            0 => Phase::Idle,
            1 => Phase::Head,
            _ => Phase::Call,
        }
    }

    fn enter(&self, phase: Phase, now: Instant) {
        self.phase_since.set(self.opened, now);
        self.phase.store(phase as u8, Relaxed);
    }

    /// Bytes have arrived.
    pub(super) fn received(&self, now: impl FnOnce() -> Instant) {
        if self.phase() == Phase::Idle {
            self.enter(Phase::Head, now());
        }
    }

    /// A handshake below HTTP has ended: the first request has all its time.
    pub(super) fn handshake_done(&self, now: Instant) {
        self.enter(Phase::Idle, now);
    }

    pub(super) fn call_begins(&self, now: Instant) {
        self.enter(Phase::Call, now);
    }

    pub(super) fn call_ends(&self, now: Instant) {
        self.served.store(true, Relaxed);
        self.body_arrives();
        self.enter(Phase::Idle, now);
    }

    /// Bytes of the request body are waited for.
    pub(super) fn body_waits(&self, since: Instant) {
        self.body_since.set(self.opened, since);
    }

    pub(super) fn body_arrives(&self) {
        self.body_since.clear();
    }

    /// The peer takes no bytes.
    pub(super) fn write_waits(&self, now: impl FnOnce() -> Instant) {
        if self.write_since.is_none() {
            self.write_since.set(self.opened, now());
        }
    }

    pub(super) fn write_goes_on(&self) {
        self.write_since.clear();
    }

    /// The bytes of its answer that are not written.
    pub(super) fn buffered(&self) -> &Buffered {
        &self.buffered
    }

    /// Since when the peer takes no bytes.
    pub(super) fn unread_since(&self) -> Option<Instant> {
        self.write_since.read(self.opened)
    }

    /// Whether it waits for its peer, so that it may be closed in favour of another connection.
    pub(super) fn waiting(&self, now: Instant) -> Option<Waiting> {
        let since = self.phase_since.read(self.opened).unwrap_or(self.opened);
        let unread = self.unread_since();
        if self.phase() == Phase::Call || unread.is_some() {
            let body = self.body_since.read(self.opened);
            let since = body.into_iter().chain(unread).min()?;
            return (since + STALLED <= now).then_some(Waiting { worth: Worth::Stalled, since });
        }
        let worth = match (self.phase(), self.served.load(Relaxed)) {
            (Phase::Idle, true) => Worth::Kept,
            _ if since + FRESH > now => Worth::Fresh,
            _ => Worth::Unused,
        };
        Some(Waiting { worth, since })
    }

    /// Whether a limit has passed. `draining` is the start of the drain.
    pub(super) fn is_expired(
        &self,
        now: Instant,
        limits: &EdgeLimits,
        draining: Option<Instant>,
    ) -> bool {
        let is_over = |since: Option<Instant>, limit| since.is_some_and(|it| it + limit <= now);
        let since = self.phase_since.read(self.opened);
        let body = self.body_since.read(self.opened);
        let phase = match (self.phase(), draining) {
            (Phase::Idle, None) => is_over(since, limits.idle),
            (Phase::Head, None) => is_over(since, limits.head),
            // Between two requests it has the order to finish; a new one has no request.
            (Phase::Idle | Phase::Head, Some(_)) => is_over(since.max(draining), DRAIN_HEAD),
            (Phase::Call, Some(_)) => {
                is_over(body.map(|it| it.max(draining.unwrap_or(it))), DRAIN_BODY)
            }
            (Phase::Call, None) => false,
        };
        let unread = self.unread_since();
        // What is left of an answer may still be written.
        let phase = phase && (self.phase() == Phase::Call || unread.is_none());
        phase || is_over(unread, limits.write) || is_over(body, limits.read + BODY_GRACE)
    }

    pub(super) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.opened)
    }

    /// Asks the task of the connection for something.
    pub(super) fn order(&self, order: Order) {
        if self.order.fetch_max(order as u8, Relaxed) < order as u8 {
            self.ordered.notify_one();
        }
    }

    /// The next order.
    pub(super) async fn next_order(&self) -> Order {
        self.ordered.notified().await;
        match self.order.load(Relaxed) {
            0 => Order::None,
            1 => Order::Yield,
            2 => Order::Finish,
            _ => Order::Cut,
        }
    }

    /// Takes the order to yield back, which the connection does not follow: it no longer waits for its peer.
    pub(super) fn keep(&self) {
        let (yields, none) = (Order::Yield as u8, Order::None as u8);
        let _ = self.order.compare_exchange(yields, none, Relaxed, Relaxed);
    }

    /// Whether hyper closes the connection by itself once it is told to finish: it does so between two requests only.
    pub(super) fn can_finish(&self) -> bool {
        self.phase() == Phase::Call || self.served.load(Relaxed)
    }
}

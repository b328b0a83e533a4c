//! The state of the limits of one route: decides which call is sent, which waits and which is refused. Pure: the time and a
//! random number are arguments.

mod adopt;
mod availability;
mod feedback;
mod queue_poll;

use std::{collections::HashMap, task::Waker, time::Duration};

use tokio::time::Instant;

pub(super) use self::feedback::Feedback;
use super::{
    concurrency::{ConcurrencyLimit, SentAttempt},
    cooldown::Cooldown,
    cost::{Cost, CostDimension},
    mean_usage::MeanUsage,
    policy::LimitPolicy,
    priority_queue::{PriorityQueue, QueuePosition},
    quotas::{QuotaSnapshots, Quotas},
    request_size::RequestSize,
};
use crate::{context::Priority, dialect::RequestInfo, route_state::Rest};

/// The state of the limits of one route.
#[derive(Debug)]
pub(super) struct RouteLimiterState {
    max_queue: usize,
    quotas: Quotas,
    concurrency: ConcurrencyLimit,
    queue: PriorityQueue,
    cooldown: Cooldown,
    /// The results of waiting calls, until each call has polled its own.
    results: HashMap<u64, WaitResult>,
    /// The last number given to an attempt or to a position in the queue.
    last_number: u64,
    /// The alarm for the next turn.
    alarm: Option<Alarm>,
    /// The mean time that an attempt takes, until its body has ended.
    mean_duration: Option<Duration>,
    mean_usage: MeanUsage,
    /// The last number given before a reset: reports of attempts up to it are ignored.
    reset_at: u64,
    saving: Option<BatchSaving>,
    /// The wakers to call once the lock is free.
    to_wake: Vec<Waker>,
}

/// The input of a decision besides the state.
#[derive(Clone, Copy, Debug)]
pub(super) struct DecisionInput {
    pub(super) now: Instant,
    /// In `[0, 1)`.
    pub(super) random: f64,
}

/// A call that asks for admission.
#[derive(Clone, Copy, Debug)]
pub(super) struct AdmissionRequest {
    pub(super) priority: Priority,
    pub(super) cost: Cost,
    /// The latest time at which the call can be sent; `None` without a deadline.
    pub(super) latest_start: Option<Instant>,
    /// Whether the call may wait at all.
    pub(super) may_queue: bool,
}

/// The decision about a call.
#[derive(Debug)]
pub(super) enum Admission {
    Admitted(Grant),
    Queued { position: QueuePosition, expected: Duration },
    Refused { retry_in: Duration },
}

/// The end of a wait.
#[derive(Debug)]
pub(super) enum WaitResult {
    Admitted(Grant),
    Refused { retry_in: Duration },
}

/// The result of polling a waiting call.
#[derive(Debug)]
pub(super) enum QueuePoll {
    Ready(WaitResult),
    /// The call still waits. It polls again when it is woken, and at `poll_at` if that is known.
    Pending {
        poll_at: Option<Instant>,
    },
}

/// The grant of an attempt that is under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    sent: SentAttempt,
    snapshots: QuotaSnapshots,
    /// The cost that was reserved for it.
    reserved: Cost,
}

/// The call that polls again at a given time, so that the next turn is not missed.
#[derive(Clone, Copy, Debug)]
struct Alarm {
    position: QueuePosition,
    /// `None` if the end of another attempt decides.
    at: Option<Instant>,
}

/// The next batch call, which could not pay when another call overtook it: from then on a share of the refill is set aside for
/// it.
#[derive(Clone, Copy, Debug)]
struct BatchSaving {
    number: u64,
    since: Instant,
}

/// The largest part of a minute's tokens that is reserved for a call whose size has no known cost: one in four.
const UNKNOWN_COST_DIVISOR: f64 = 4.0;

// === impl Grant ===

impl Grant {
    /// The number of the attempt.
    fn number(&self) -> u64 {
        self.snapshots.number
    }
}

// === impl RouteLimiterState ===

impl RouteLimiterState {
    pub(super) fn new(policy: &LimitPolicy, now: Instant) -> Self {
        Self {
            max_queue: policy.max_queue,
            quotas: Quotas::new(policy, now),
            concurrency: ConcurrencyLimit::new(&policy.concurrency),
            queue: PriorityQueue::new(policy.batch_every()),
            cooldown: Cooldown::new(policy.cooldown_without_hint),
            results: HashMap::new(),
            last_number: 0,
            alarm: None,
            mean_duration: None,
            mean_usage: MeanUsage::default(),
            reset_at: 0,
            saving: None,
            to_wake: Vec::new(),
        }
    }

    /// The estimated cost of a call. If no answer has reported the cost of calls of its size, an interactive call reserves no
    /// more than a part of a minute's tokens: too high an estimate would refuse others.
    pub(super) fn estimate(
        &self,
        size: RequestSize,
        info: &RequestInfo,
        priority: Priority,
    ) -> Cost {
        let cost = self.mean_usage.estimate(size, info);
        let is_known = priority == Priority::Batch || self.mean_usage.knows(size);
        match self.quotas.of(CostDimension::Tokens).capacity().filter(|_| !is_known) {
            Some(tokens) => {
                let max_input = (tokens / UNKNOWN_COST_DIVISOR) as u64;
                Cost { input: cost.input.min(max_input), ..cost }
            }
            None => cost,
        }
    }

    /// The approximate wait of a call that arrives now; zero if it could be sent at once.
    pub(super) fn expected_wait(&self, priority: Priority, cost: Cost, now: Instant) -> Duration {
        let ahead = self.queue.ahead_of(priority);
        let quota = self.quotas.wait(ahead.cost, cost, now);
        let release = self.cooldown.release_delay(ahead.calls, self.queue.len());
        let cooldown = self.cooldown.wait(now) + release;
        quota.max(cooldown).max(self.expected_concurrency_wait(ahead.calls))
    }

    /// The approximate time until enough attempts have ended for a call with `calls_ahead` calls before it.
    fn expected_concurrency_wait(&self, calls_ahead: f64) -> Duration {
        let calls = calls_ahead + f64::from(self.concurrency.in_flight()) + 1.0;
        match (self.concurrency.limit(), self.mean_duration) {
            (Some(limit), Some(duration)) if calls > f64::from(limit) => {
                duration.mul_f64((calls - f64::from(limit)) / f64::from(limit.max(1)))
            }
            _ => Duration::ZERO,
        }
    }

    /// The time for which the provider still has the route closed; `None` if it is open.
    pub(super) fn closed_for(&self, now: Instant) -> Option<Duration> {
        Some(self.cooldown.closed_for(now)).filter(|wait| !wait.is_zero())
    }

    /// The number of waiting calls.
    pub(super) fn waiting(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn concurrency(&self) -> &ConcurrencyLimit {
        &self.concurrency
    }

    pub(super) fn quotas(&self) -> &Quotas {
        &self.quotas
    }

    /// Whether evicting the state would lose anything.
    pub(super) fn rest(&self, now: Instant) -> Rest {
        let has_calls = !self.queue.is_empty() || !self.results.is_empty();
        let is_idle = !has_calls && self.concurrency.in_flight() == 0;
        match is_idle && self.cooldown.closed_for(now).is_zero() {
            true => self.quotas.rest(now),
            false => Rest::Busy,
        }
    }

    /// The wakers to call now that the lock is free.
    pub(super) fn take_wakers(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.to_wake)
    }
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;

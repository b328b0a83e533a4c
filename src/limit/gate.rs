//! The gate of a route: who may go now, who waits, who is refused. Pure: time and chance are arguments.

use std::{collections::HashMap, task::Waker, time::Duration};

use tokio::time::Instant;

use super::{
    admission::Admission,
    closing::Closing,
    line::{Line, Place},
    meters::{Marks, Meters},
    news::Told,
    policy::LimitPolicy,
    slots::{Slot, Slots},
    tokens::{Cost, Usual},
};
use crate::{
    classify::{Outcome, Phase},
    context::Priority,
    dialect::Tokens,
    routes::Rest,
};

/// The gate of one route.
#[derive(Debug)]
pub(super) struct Gate {
    queue: usize,
    meters: Meters,
    slots: Slots,
    line: Line,
    admission: Option<Admission>,
    closing: Closing,
    /// What became of calls that waited, until they have noticed.
    fates: HashMap<u64, Fate>,
    /// The attempt, or the place in the line, that was given out last.
    nth: u64,
    /// Who has the alarm for the next turn, and for when.
    armed: Option<(Place, Option<Instant>)>,
    /// How long an attempt takes, on average.
    takes: Option<Duration>,
    usual: Usual,
    /// Whom to wake, once the lock is free.
    wake: Vec<Waker>,
}

/// A call at the gate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) now: Instant,
    pub(super) priority: Priority,
    pub(super) cost: Cost,
    /// When it is too late for it to go.
    pub(super) leaves: Option<Instant>,
    /// Whether it may wait at all.
    pub(super) patient: bool,
}

/// Leave to go, of an attempt under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leave {
    slot: Slot,
    marks: Marks,
    cost: Cost,
}

/// What is said to a call that comes.
#[derive(Debug)]
pub(super) enum Answer {
    Go(Leave),
    /// It waits; about so long.
    Wait(Place, Duration),
    Refused(Duration),
}

/// What became of a call that waited.
#[derive(Debug)]
pub(super) enum Fate {
    Go(Leave),
    Refused(Duration),
}

/// What is said to a call that waits.
#[derive(Debug)]
pub(super) enum Turn {
    Over(Fate),
    /// It waits on, and is to ask again then.
    Not(Option<Instant>),
}

// === impl Gate ===

impl Gate {
    pub(super) fn new(policy: &LimitPolicy, now: Instant) -> Self {
        let share = policy.burst.as_secs_f64() / 60.0;
        Self {
            queue: policy.queue,
            meters: Meters::new(policy.requests, policy.tokens, share, now),
            slots: Slots::new(&policy.concurrency),
            line: Line::new(policy.batch),
            admission: policy.admission.clone().map(|policy| Admission::new(policy, now)),
            closing: Closing::new(policy.pause),
            fates: HashMap::new(),
            nth: 0,
            armed: None,
            takes: None,
            usual: Usual::default(),
            wake: Vec::new(),
        }
    }

    /// An attempt that was let through was not sent after all: what it took is given back. Its place is free when its
    /// permit is dropped.
    pub(super) fn forget(&mut self, leave: &Leave) {
        self.meters.settle(&leave.marks, leave.cost, Cost::default());
    }

    /// What the headers of an answer tell.
    pub(super) fn news(&mut self, leave: &Leave, told: &[Told], now: Instant) {
        self.meters.news(told, &leave.marks, now);
    }

    /// What an attempt came to, at the first event of its answer or without one. Tells how long the route is left alone,
    /// where that is new.
    pub(super) fn came_to(
        &mut self,
        leave: &Leave,
        outcome: Outcome,
        (first, now): (Instant, Instant),
        random: f64,
    ) -> Option<Duration> {
        self.meters.settle(&leave.marks, leave.cost, leave.cost.spent_by(outcome));
        if let Some(admission) = &mut self.admission {
            admission.learn(outcome, now);
        }
        match outcome {
            Outcome::Success | Outcome::Blocked => {
                self.slots.answered(leave.slot, first);
                self.closing.answered();
                // There may be room for more now.
                self.pump(now, random);
                None
            }
            Outcome::RateLimited { wait } => {
                self.slots.refused(leave.slot);
                self.limited(leave, wait, now, random)
            }
            // How little time its caller had says nothing of the provider.
            Outcome::TimedOut { phase: Phase::Deadline } => None,
            Outcome::Unavailable { .. } | Outcome::TimedOut { .. } => {
                self.slots.refused(leave.slot);
                None
            }
            _ => None,
        }
    }

    /// A success has cost so much.
    pub(super) fn cost(&mut self, leave: &Leave, tokens: Tokens) {
        self.usual.learn(tokens);
        self.meters.settle(&leave.marks, leave.cost, Cost::known(tokens));
    }

    /// The body of an answer has ended, or there was none.
    pub(super) fn ended(&mut self, leave: &Leave, now: Instant, random: f64) {
        self.slots.freed();
        let took = now.saturating_duration_since(leave.slot.at);
        self.takes = Some(self.takes.map_or(took, |takes| (takes * 9 + took) / 10));
        self.pump(now, random);
    }

    /// What answers usually cost here.
    pub(super) fn usual(&self) -> Usual {
        self.usual
    }

    /// About how long a call that comes now would wait; zero if it could go.
    pub(super) fn expected(&self, priority: Priority, cost: Cost, now: Instant) -> Duration {
        let ahead = self.line.ahead(priority);
        let metered = self.meters.wait(ahead.cost, cost, now);
        let closed = self.closing.wait(now) + self.closing.spread(ahead.calls, self.line.len());
        let others = ahead.calls + f64::from(self.slots.in_flight()) + 1.0;
        let held = match (self.slots.limit(), self.takes) {
            (Some(limit), Some(takes)) if others > f64::from(limit) => {
                takes.mul_f64((others - f64::from(limit)) / f64::from(limit.max(1)))
            }
            _ => Duration::ZERO,
        };
        metered.max(closed).max(held)
    }

    pub(super) fn closed_for(&self, now: Instant) -> Option<Duration> {
        Some(self.closing.closed_for(now)).filter(|wait| !wait.is_zero())
    }

    pub(super) fn waiting(&self) -> usize {
        self.line.len()
    }

    pub(super) fn slots(&self) -> &Slots {
        &self.slots
    }

    pub(super) fn meters(&self) -> &Meters {
        &self.meters
    }

    /// The provider limits the rate.
    fn limited(
        &mut self,
        leave: &Leave,
        wait: Option<Duration>,
        now: Instant,
        random: f64,
    ) -> Option<Duration> {
        let one = Cost { requests: 1, ..Cost::default() };
        let known = self.slots.adapts() || !self.meters.wait([0.0; 4], one, now).is_zero();
        // A limit of ours that holds calls back by itself needs no pause on top.
        let pause = || if known { None } else { self.closing.pause(leave.slot.at) };
        let wait = wait.or_else(pause)?;
        let until = self.closing.close(wait, now)?;
        let lasts = until.saturating_duration_since(now);
        for (place, waiting) in self.line.sweep(until) {
            self.fates.insert(place.number, Fate::Refused(lasts));
            self.wake.extend(waiting.waker);
        }
        self.pump(now, random);
        Some(lasts)
    }

    /// What would be lost if it were made anew.
    pub(super) fn rest(&self, now: Instant) -> Rest {
        let idle = self.line.is_empty() && self.fates.is_empty() && self.slots.in_flight() == 0;
        match idle && self.closing.closed_for(now).is_zero() {
            true => self.meters.rest(now),
            false => Rest::Busy,
        }
    }

    /// Whom to wake now that the lock is free.
    pub(super) fn take_wake(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.wake)
    }
}

mod outlook;
mod turns;

#[cfg(test)]
mod tests;

//! The gate of a route: who may go now, who waits, who is refused. Pure: time and chance are arguments.

use std::{collections::HashMap, task::Waker, time::Duration};

use tokio::time::Instant;

use super::{
    cooldown::Cooldown,
    line::{Line, Place},
    policy::LimitPolicy,
    quotas::{Marks, Meters},
    slots::{Slot, Slots},
    tokens::{Cost, Kind, Size, Usual},
};
use crate::{context::Priority, dialect::RequestInfo, keyed_state::Rest};

/// The gate of one route.
#[derive(Debug)]
pub(super) struct Gate {
    queue: usize,
    meters: Meters,
    slots: Slots,
    line: Line,
    closing: Cooldown,
    /// What became of calls that waited, until they have noticed.
    fates: HashMap<u64, Fate>,
    /// The attempt, or the place in the line, that was given out last.
    nth: u64,
    /// Who has the alarm for the next turn, and for when.
    armed: Option<(Place, Option<Instant>)>,
    /// How long an attempt takes, on average.
    takes: Option<Duration>,
    usual: Usual,
    /// What was sent up to then was sent before a reset, and says nothing.
    forgotten: u64,
    /// The batch call that was passed, and saves.
    saving: Option<Saving>,
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

/// The batch call that is next and could not pay yet when another call passed it: from then on a share of what comes in is
/// set aside for it.
#[derive(Clone, Copy, Debug)]
struct Saving {
    number: u64,
    since: Instant,
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

/// Of a call whose cost is not sure, one part in so many of the tokens of a minute is reserved at most.
const UNSURE: f64 = 4.0;

// === impl Leave ===

impl Leave {
    /// The number of the attempt.
    fn nth(&self) -> u64 {
        self.marks.nth
    }
}

// === impl Gate ===

impl Gate {
    pub(super) fn new(policy: &LimitPolicy, now: Instant) -> Self {
        Self {
            queue: policy.queue,
            meters: Meters::made_of(policy, now),
            slots: Slots::new(&policy.concurrency),
            line: Line::new(policy.batch),
            closing: Cooldown::new(policy.pause),
            fates: HashMap::new(),
            nth: 0,
            armed: None,
            takes: None,
            usual: Usual::default(),
            forgotten: 0,
            saving: None,
            wake: Vec::new(),
        }
    }

    /// What a call of that size is taken to cost. Where no answer has told what calls of its size cost, one that somebody
    /// waits for takes no more than a part of the tokens of a minute: too high an estimate would refuse others.
    pub(super) fn estimate(&self, size: Size, ask: &RequestInfo, priority: Priority) -> Cost {
        let cost = Cost::estimate(size, ask, &self.usual);
        let sure = priority == Priority::Batch || self.usual.knows(size);
        match self.meters.of(Kind::Tokens).size().filter(|_| !sure) {
            Some(tokens) => Cost { input: cost.input.min((tokens / UNSURE) as u64), ..cost },
            None => cost,
        }
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

mod availability;
mod report;
mod turns;

pub(super) use report::Report;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;

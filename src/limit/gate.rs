//! The gate of a route: who may go now, who waits, who is refused. Pure: time and chance are arguments.

use std::{collections::HashMap, task::Waker, time::Duration};

use tokio::time::Instant;

use super::{
    admission::Admission,
    closing::Closing,
    line::{Line, Place, Waiting},
    meter::{Marks, Meters, Told},
    policy::LimitPolicy,
    slots::{Slot, Slots},
    tokens::{Cost, Usual},
};
use crate::{
    classify::{Outcome, Phase},
    context::{Priority, later},
    dialect::Tokens,
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

    /// A call comes: it goes, waits, or is refused at once where its wait would be too long.
    pub(super) fn arrive(&mut self, call: Arrival, random: f64) -> Answer {
        let Arrival { now, priority, cost, leaves, patient } = call;
        if let Some(Err(wait)) = self.admission.as_mut().map(|it| it.admit(now, random)) {
            return Answer::Refused(wait);
        }
        self.pump(now, random);
        if self.line.is_empty() && self.wait_of(cost, now).is_ok() {
            return Answer::Go(self.admit(cost, now));
        }
        let expected = self.expected(priority, cost, now);
        let late = leaves.is_some_and(|leaves| later(now, expected) > leaves);
        if !patient || late || self.line.len() >= self.queue {
            return Answer::Refused(expected);
        }
        self.nth += 1;
        let place = Place { priority, number: self.nth };
        self.line.push(place, Waiting { cost, leaves, waker: None });
        // One of a higher priority may go although others wait.
        self.pump(now, random);
        Answer::Wait(place, expected)
    }

    /// A call that waits asks for its turn.
    pub(super) fn turn(&mut self, place: Place, (now, random): (Instant, f64), me: &Waker) -> Turn {
        // It is awake.
        let _ = self.line.get_mut(place).and_then(|waiting| waiting.waker.take());
        self.pump(now, random);
        if let Some(fate) = self.fates.remove(&place.number) {
            return Turn::Over(fate);
        }
        let leaves = self.line.get_mut(place).and_then(|waiting| {
            waiting.waker = Some(me.clone());
            waiting.leaves
        });
        if leaves.is_some_and(|leaves| leaves <= now) {
            let cost = self.line.remove(place).map_or(Cost::default(), |waiting| waiting.cost);
            self.pump(now, random);
            return Turn::Over(Fate::Refused(self.expected(place.priority, cost, now)));
        }
        let alarm = self.armed.filter(|(armed, _)| *armed == place).and_then(|(_, at)| at);
        Turn::Not([alarm, leaves].into_iter().flatten().min())
    }

    /// A call that waits goes away. The leave that it may have got meanwhile is handed back.
    pub(super) fn give_up(&mut self, place: Place, now: Instant, random: f64) {
        self.line.remove(place);
        if let Some(Fate::Go(leave)) = self.fates.remove(&place.number) {
            self.forget(&leave);
            self.slots.freed();
        }
        self.pump(now, random);
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
        let spent = match outcome {
            // Nothing was sent.
            Outcome::Unreachable | Outcome::Refused { .. } => Cost::default(),
            // It was answered before the model ran.
            Outcome::Unavailable { .. }
            | Outcome::RateLimited { .. }
            | Outcome::QuotaExhausted { .. }
            | Outcome::Rejected { .. }
            | Outcome::TooLarge => leave.cost.not_run(),
            _ => leave.cost,
        };
        self.meters.settle(&leave.marks, leave.cost, spent);
        if let Some(admission) = &mut self.admission {
            match outcome {
                Outcome::RateLimited { .. } | Outcome::Unavailable { .. } => {
                    admission.turned_away(now);
                }
                Outcome::Refused { .. } | Outcome::Cancelled => (),
                _ => admission.taken(now),
            }
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

    /// Whom to wake now that the lock is free.
    pub(super) fn take_wake(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.wake)
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
        let until = self.closing.close(wait, now, random)?;
        let lasts = until.saturating_duration_since(now);
        for (place, waiting) in self.line.sweep(until) {
            self.fates.insert(place.number, Fate::Refused(lasts));
            self.wake.extend(waiting.waker);
        }
        self.pump(now, random);
        Some(lasts)
    }

    /// Lets through whoever is next, as long as the next one may go.
    fn pump(&mut self, now: Instant, random: f64) {
        self.closing.reopen(now, self.line.len());
        while let Some(place) = self.line.next() {
            let Some(cost) = self.line.get_mut(place).map(|waiting| waiting.cost) else { break };
            if let Err(at) = self.wait_of(cost, now) {
                self.arm(place, at, now);
                return;
            }
            let leave = self.admit(cost, now);
            self.closing.passed(now, random);
            self.fates.insert(place.number, Fate::Go(leave));
            let waker = self.line.take(place).and_then(|waiting| waiting.waker);
            self.wake.extend(waker);
        }
        self.armed = None;
        self.closing.done();
    }

    /// Whether a call may go now, or when; `None` where the end of another attempt decides.
    fn wait_of(&self, cost: Cost, now: Instant) -> Result<(), Option<Instant>> {
        if !self.slots.is_free() {
            return Err(None);
        }
        let wait = self.meters.wait([0.0; 4], cost, now).max(self.closing.wait(now));
        if wait.is_zero() { Ok(()) } else { Err(Some(tick(later(now, wait), now))) }
    }

    /// Gives the alarm for the next turn to the one whose turn it is.
    fn arm(&mut self, place: Place, at: Option<Instant>, now: Instant) {
        // One that goes off too early asks again, and does no harm; one that is past would do so without end.
        let coming = |is: Instant| is > now && at.is_some_and(|at| is <= at);
        let early = self.armed.is_some_and(|(armed, is)| armed == place && is.is_some_and(coming));
        if !early {
            self.armed = Some((place, at));
            let waker = at.and_then(|_| self.line.get_mut(place)?.waker.clone());
            self.wake.extend(waker);
        }
    }

    fn admit(&mut self, cost: Cost, now: Instant) -> Leave {
        self.nth += 1;
        self.meters.take(cost, now);
        let marks = self.meters.marks(self.nth, now);
        Leave { slot: self.slots.took(now), marks, cost }
    }
}

/// Timers go off by the millisecond: an alarm a little before its time would go off again and again.
fn tick(at: Instant, now: Instant) -> Instant {
    at.max(later(now, Duration::from_millis(1)))
}

#[cfg(test)]
mod tests;

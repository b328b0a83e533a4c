//! What attempts came to, and what follows for the gate.

use std::time::Duration;

use tokio::time::Instant;

use super::{Fate, Gate, Leave};
use crate::{
    dialect::Tokens,
    limit::{
        adaptive::Form,
        cooldown::Cooldown,
        policy::LimitPolicy,
        quotas::Meters,
        rate_limit_info::Told,
        tokens::{Cost, Size, Usual},
    },
    outcome::{Outcome, Phase, Rejection},
};

/// What an attempt came to, at the first event of its answer or without one.
#[derive(Clone, Copy, Debug)]
pub(in crate::limit) struct Report {
    pub(in crate::limit) outcome: Outcome,
    /// When its first event was there.
    pub(in crate::limit) first: Instant,
    pub(in crate::limit) form: Form,
    pub(in crate::limit) now: Instant,
    pub(in crate::limit) random: f64,
}

// === impl Gate ===

impl Gate {
    /// An attempt that was let through was not sent after all: what it took is given back. Its place is free when its
    /// permit is dropped.
    pub(in crate::limit) fn forget(&mut self, leave: &Leave) {
        self.meters.settle(&leave.marks, leave.cost, Cost::default());
    }

    /// What the headers of an answer tell.
    pub(in crate::limit) fn news(&mut self, leave: &Leave, told: &[Told], now: Instant) {
        if self.is_news(leave) {
            self.meters.news(told, &leave.marks, now);
        }
    }

    /// Takes note of what an attempt came to. Returns for how long the route is left alone, where that is new.
    pub(in crate::limit) fn came_to(&mut self, leave: &Leave, report: Report) -> Option<Duration> {
        let Report { outcome, .. } = report;
        self.meters.settle(&leave.marks, leave.cost, leave.cost.spent_by(outcome));
        if is_let_in(outcome) {
            self.answered(leave, report);
        } else {
            self.closing.failed(leave.nth());
        }
        match outcome {
            Outcome::RateLimited { wait } => {
                self.slots.refused(leave.slot);
                self.limited(leave, wait, report)
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

    /// What a success has cost, to a request of that size. Where its answer does not tell, it is taken to be what is usual.
    pub(in crate::limit) fn cost(&mut self, leave: &Leave, size: Size, tokens: Option<Tokens>) {
        let cost = match tokens {
            Some(tokens) => {
                self.usual.learn(size, tokens);
                Cost::known(tokens)
            }
            None => leave.cost.untold(&self.usual),
        };
        self.meters.settle(&leave.marks, leave.cost, cost);
    }

    /// The body of an answer has ended, or there was none.
    pub(in crate::limit) fn ended(&mut self, leave: &Leave, now: Instant, random: f64) {
        self.slots.freed();
        self.closing.ended(leave.nth(), now);
        let took = now.saturating_duration_since(leave.slot.at);
        self.takes = Some(self.takes.map_or(took, |takes| (takes * 9 + took) / 10));
        self.pump(now, random);
    }

    /// Forgets all but who is under way and who waits: what the provider asked for and told, what was counted, and what
    /// attempts up to now still come to.
    pub(in crate::limit) fn reset(&mut self, policy: &LimitPolicy, now: Instant, random: f64) {
        self.forgotten = self.nth;
        self.meters = Meters::made_of(policy, now);
        self.slots.forget(&policy.concurrency);
        self.closing = Cooldown::new(policy.pause);
        self.usual = Usual::default();
        self.pump(now, random);
    }

    fn is_news(&self, leave: &Leave) -> bool {
        leave.nth() > self.forgotten
    }

    /// The provider has let an attempt in.
    fn answered(&mut self, leave: &Leave, report: Report) {
        let Report { outcome, first, form, now, random } = report;
        if matches!(outcome, Outcome::Success | Outcome::Blocked) {
            self.slots.answered(leave.slot, first, form);
        }
        if self.closing.answered(leave.nth(), leave.slot.at) {
            self.meters.disprove(now);
        }
        // There may be room for more now.
        self.pump(now, random);
    }

    /// The provider limits the rate.
    fn limited(
        &mut self,
        leave: &Leave,
        wait: Option<Duration>,
        Report { now, random, .. }: Report,
    ) -> Option<Duration> {
        if !self.is_news(leave) {
            return None;
        }
        self.meters.believe();
        let known =
            self.slots.adapts() || !self.meters.wait([0.0; 4], Cost::REQUEST, now).is_zero();
        // A limit of ours that holds calls back by itself needs no pause on top.
        let pause = || if known { None } else { self.closing.pause(leave.slot.at) };
        let wait = wait.or_else(pause)?;
        if !self.closing.concerns_all(leave.slot.at, wait) {
            return None;
        }
        let lasts = self.close(wait, now)?;
        self.pump(now, random);
        Some(lasts)
    }

    /// Closes, and sends those away who cannot wait as long. Returns for how long, where that is new.
    pub(super) fn close(&mut self, wait: Duration, now: Instant) -> Option<Duration> {
        let until = self.closing.close(wait, now)?;
        let lasts = until.saturating_duration_since(now);
        for (place, waiting) in self.line.sweep(until) {
            self.fates.insert(place.number, Fate::Refused(lasts));
            self.wake.extend(waiting.waker);
        }
        Some(lasts)
    }
}

/// Whether the provider has let an attempt in: it was answered, or turned away for what it asks.
fn is_let_in(outcome: Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Success
            | Outcome::Blocked
            | Outcome::TooLarge
            | Outcome::Rejected { why: Rejection::Request }
    )
}

//! The state machine: pure, with the time and chance as arguments.
//!
//! ```text
//!            consecutive · ratio · slow · exhausted
//!   Closed ─────────────────────────────────────────▶ Open ◀──────────────┐
//!     ▲                                                │ waited           │ a probe failed, was slow,
//!     │ recovered                                      ▼                  │ was dropped or hung
//!   Recovering ◀──────────── probes passed ───────── HalfOpen ────────────┤
//!     └───────── consecutive · ratio · slow · exhausted ──────────────────┘
//! ```
//!
//! Time passes lazily: what the clock has brought about is found out when somebody asks.

use std::{mem, time::Duration};

use tokio::time::Instant;

use crate::{
    breaker::{
        BreakerPolicy, Cause, Refusal, Snapshot, State,
        opening::Openings,
        probes::{Probes, Slot},
        ramp::Ramp,
        state::Step,
        ticket::{Moment, Ticket},
        window::{Counts, Window},
    },
    classify::{Health, Outcome},
    context::later,
};

/// A breaker's state and all it counts.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(super) mode: Mode,
    pub(super) window: Window,
    pub(super) in_a_row: u32,
    /// Rejections of the credential since the last success.
    pub(super) unauthorized: u32,
    /// Goes up when trust is gone or a person steps in: what was admitted before is old news. It stays when things get
    /// better: a probe whose body dies while the breaker recovers is news.
    pub(super) generation: u64,
    pub(super) openings: Openings,
    pub(super) opened_by: Option<Cause>,
    pub(super) steps: u64,
    /// Changes that nobody was told of yet.
    pub(super) untold: Vec<Step>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Mode {
    Closed,
    Open { until: Instant },
    HalfOpen(Probes),
    Recovering(Ramp),
    ForcedOpen,
    ForcedClosed,
}

// === impl Machine ===

impl Machine {
    pub(crate) fn new(policy: &BreakerPolicy, now: Instant) -> Self {
        Self {
            mode: Mode::Closed,
            window: Window::new(policy.window, now),
            in_a_row: 0,
            unauthorized: 0,
            generation: 0,
            openings: Openings::default(),
            opened_by: None,
            steps: 0,
            untold: Vec::new(),
        }
    }

    /// Lets a call through or refuses it.
    pub(crate) fn admit(&mut self, at: Moment<'_>) -> Result<Ticket, Refusal> {
        self.pass_time(at);
        let admitted = match &mut self.mode {
            Mode::Closed | Mode::ForcedClosed => Ok(None),
            Mode::Open { until } => Err(until.saturating_duration_since(at.now)),
            Mode::HalfOpen(probes) => probes.take(at).map(Some),
            Mode::Recovering(ramp) => ramp.admit(at).map(|()| None),
            Mode::ForcedOpen => Err(at.policy.open_most),
        };
        let Moment { now: started, random, .. } = at;
        let generation = self.generation;
        match admitted {
            Ok(slot) => {
                let (whole, slow, trickled) = (false, false, false);
                Ok(Ticket { generation, started, random, slot, whole, begun: None, slow, trickled })
            }
            Err(retry_in) => Err(Refusal { state: self.state(), retry_in }),
        }
    }

    /// The first event of an answer is there. Its latency counts now, and a probe is decided now: to recover, nobody waits
    /// for the end of a long stream.
    pub(crate) fn begin(&mut self, at: Moment<'_>, ticket: &mut Ticket) {
        if ticket.begun.is_some() || !self.is_news(at, ticket) {
            return;
        }
        let slow = ticket.is_slow(at);
        (ticket.begun, ticket.slow) = (Some(at.now), slow);
        match self.undecided(ticket) {
            Some(slot) => self.decide(at, slot, slow.then_some(Cause::ProbeSlow), None),
            None => {
                let counts = self.window.add(Counts::latency(slow), at.now);
                self.weigh(at, counts, None);
            }
        }
    }

    /// A call came to something.
    pub(crate) fn end(&mut self, at: Moment<'_>, ticket: &mut Ticket, outcome: Outcome) {
        if !self.is_news(at, ticket) {
            return;
        }
        let slow = ticket.is_slow(at);
        let health = match outcome.health() {
            // The caller's choice, of an answer that was well so far.
            Health::Cancelled if ticket.begun.is_some() => Health::Success,
            // The caller's choice too: it had hardly any time to give.
            Health::Failure if ticket.is_hurried(at, outcome) => Health::Cancelled,
            health => health,
        };
        let wait = outcome.wait();
        match (health, self.undecided(ticket)) {
            (Health::Exhausted, _) => self.open(at, Cause::Exhausted, wait),
            (Health::Unauthorized, _) if self.is_locked_out(at) => {
                self.open(at, Cause::Unauthorized, None);
            }
            (Health::Ignored | Health::Unauthorized, slot) => self.hand_back(slot),
            (health, Some(slot)) => self.decide(at, slot, verdict(health, slow), wait),
            (health, None) => {
                let latency = ticket.latency(at, slow);
                self.count(at, health, latency, wait);
            }
        }
    }

    /// What it shows of itself.
    pub(crate) fn snapshot(&mut self, at: Moment<'_>) -> Snapshot {
        self.pass_time(at);
        let counts = self.window.sum(at.now);
        let (share, probes, probe_in) = match &self.mode {
            Mode::Closed | Mode::ForcedClosed => (1.0, 0, None),
            Mode::Open { until } => (0.0, 0, Some(until.saturating_duration_since(at.now))),
            Mode::HalfOpen(probes) => (0.0, probes.under_way(), None),
            Mode::Recovering(ramp) => (ramp.share(at), 0, None),
            Mode::ForcedOpen => (0.0, 0, None),
        };
        Snapshot {
            state: self.state(),
            share,
            failure_ratio: counts.failure_ratio(),
            slow_ratio: counts.slow_ratio(),
            calls: counts.ended,
            in_a_row: self.in_a_row,
            probes,
            probe_in,
            opened_by: self.opened_by,
        }
    }

    /// Until when it lets no call through; `None` if it does now.
    pub(crate) fn open_until(&mut self, at: Moment<'_>) -> Option<Instant> {
        self.pass_time(at);
        match self.mode {
            Mode::Open { until } => Some(until),
            Mode::ForcedOpen => Some(later(at.now, Duration::MAX)),
            _ => None,
        }
    }

    /// The changes since it was last asked, in order.
    pub(crate) fn take_untold(&mut self) -> Vec<Step> {
        mem::take(&mut self.untold)
    }

    pub(super) fn state(&self) -> State {
        match self.mode {
            Mode::Closed => State::Closed,
            Mode::Open { .. } => State::Open,
            Mode::HalfOpen(_) => State::HalfOpen,
            Mode::Recovering(_) => State::Recovering,
            Mode::ForcedOpen => State::ForcedOpen,
            Mode::ForcedClosed => State::ForcedClosed,
        }
    }

    /// Whether a call was admitted since the last opening, and counts at all.
    fn is_news(&mut self, at: Moment<'_>, ticket: &Ticket) -> bool {
        self.pass_time(at);
        ticket.generation == self.generation && !matches!(self.mode, Mode::ForcedClosed)
    }

    /// The place of a probe, which is one no longer when others have decided that the breaker recovers.
    fn undecided(&self, ticket: &mut Ticket) -> Option<Slot> {
        ticket.slot.take().filter(|_| matches!(self.mode, Mode::HalfOpen(_)))
    }

    /// A probe succeeded, or failed for a reason.
    fn decide(&mut self, at: Moment<'_>, slot: Slot, why: Option<Cause>, wait: Option<Duration>) {
        if let Some(why) = why {
            return self.open(at, why, wait);
        }
        self.unauthorized = 0;
        if let Mode::HalfOpen(probes) = &mut self.mode {
            if probes.pass(slot, at.policy) {
                self.recover(at);
            }
        }
    }

    /// Counts a call that is no probe, or a probe that was decided at its first event.
    fn count(&mut self, at: Moment<'_>, health: Health, latency: Counts, wait: Option<Duration>) {
        let failed = matches!(health, Health::Failure | Health::Pushback);
        if matches!(self.mode, Mode::HalfOpen(_)) {
            if failed {
                self.open(at, Cause::ProbeFailed, wait);
            }
            return;
        }
        match health {
            Health::Success => (self.in_a_row, self.unauthorized) = (0, 0),
            Health::Failure => self.in_a_row = self.in_a_row.saturating_add(1),
            // Waiting in vain is all that can be said of a call whose caller left.
            Health::Cancelled if latency.slow == 0 => return,
            _ => {}
        }
        let counts = match health {
            Health::Cancelled => latency,
            _ => latency.and_ended(failed),
        };
        let counts = self.window.add(counts, at.now);
        self.weigh(at, counts, wait);
    }
}

/// Why a probe failed, if it did. A slow one fails: it does not show that the provider is well again.
fn verdict(health: Health, slow: bool) -> Option<Cause> {
    match health {
        Health::Failure | Health::Pushback => Some(Cause::ProbeFailed),
        _ if slow => Some(Cause::ProbeSlow),
        Health::Cancelled => Some(Cause::ProbeDropped),
        _ => None,
    }
}

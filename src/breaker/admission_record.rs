//! What is known of a call that was let through.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    breaker::{
        decision_input::{CallerInfo, DecisionInput},
        failure_run::FailedAttempt,
        probes::ProbeSlot,
        window::Counts,
    },
    outcome::{Outcome, Phase},
};

/// What a permit knows of the attempt that it was given to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AdmissionRecord {
    /// `None` for an attempt that does not count.
    pub(super) generation: Option<u64>,
    pub(crate) started: Instant,
    pub(crate) random: f64,
    pub(super) caller: CallerInfo,
    /// The place of a probe that is not decided yet.
    pub(super) slot: Option<ProbeSlot>,
    /// When the first event was there, and was counted.
    pub(super) begun: Option<Instant>,
    /// The failures in a row that it ended by beginning well.
    pub(super) interrupted: Option<Instant>,
    /// It was counted as slow.
    pub(super) slow: bool,
    /// What came after the first event came too slowly.
    pub(crate) trickled: bool,
}

// === impl AdmissionRecord ===

impl AdmissionRecord {
    pub(super) fn new(
        generation: Option<u64>,
        at: DecisionInput<'_>,
        caller: CallerInfo,
        slot: Option<ProbeSlot>,
    ) -> Self {
        Self {
            generation,
            started: at.now,
            random: at.random,
            caller,
            slot,
            begun: None,
            interrupted: None,
            slow: false,
            trickled: false,
        }
    }

    /// Whether it is for a probe that is not decided yet.
    pub(crate) fn is_probe(&self) -> bool {
        self.slot.is_some()
    }

    /// The answer is not streamed, so it may take longer.
    pub(crate) fn whole(&mut self) {
        self.caller.whole = true;
    }

    /// How long it has taken by now.
    pub(super) fn took(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.started)
    }

    /// The attempt as one that failed.
    pub(super) fn failing(&self, now: Instant) -> FailedAttempt {
        FailedAttempt { started: self.started, now, extra: self.caller.extra }
    }

    /// Whether it had about its own limit: what is ended sooner by a deadline says nothing, as a provider that is well may
    /// need longer.
    pub(super) fn had_its_time(&self, at: DecisionInput<'_>) -> bool {
        self.took(at.now) >= about(at.policy.limit(self.caller.whole))
    }

    /// What an attempt came to that its caller gave up. Given up at the deadline, it is late.
    pub(crate) fn given_up(&self, now: Instant) -> Outcome {
        match self.caller.deadline {
            Some(deadline) if deadline <= now => Outcome::TimedOut { phase: Phase::Deadline },
            _ => Outcome::Cancelled,
        }
    }

    /// What is counted of the latency of a call at its end. One whose first event was counted is not counted again, unless
    /// it has become slow since then: in place of that first count, as long as the window has it, else anew.
    pub(crate) fn latency(&self, at: DecisionInput<'_>, slow: bool) -> Counts {
        let trickled = self.trickled && !self.slow && at.policy.slow_ratio.is_some();
        match self.begun {
            None => Counts::latency(slow),
            Some(_) if !trickled => Counts::default(),
            Some(begun) if at.now.saturating_duration_since(begun) < at.policy.window => {
                Counts { slow: 1, ..Counts::default() }
            }
            Some(_) => Counts::latency(true),
        }
    }
}

/// Four fifths.
pub(super) fn about(limit: Duration) -> Duration {
    limit / 5 * 4
}

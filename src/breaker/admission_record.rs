//! The record of a call that a breaker let through.

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

/// What a permit records about its attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AdmissionRecord {
    /// `None` for an attempt that does not count.
    pub(super) generation: Option<u64>,
    pub(crate) started: Instant,
    pub(crate) random: f64,
    pub(super) caller: CallerInfo,
    /// The slot of a probe that is not decided yet.
    pub(super) slot: Option<ProbeSlot>,
    /// When the first event arrived and was counted.
    pub(super) begun: Option<Instant>,
    /// The start of the run of failures that the first event of this attempt ended.
    pub(super) interrupted: Option<Instant>,
    /// Whether the attempt was counted as slow.
    pub(super) slow: bool,
    /// Whether the stream was too slow after its first event.
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

    /// Whether the attempt is a probe that is not decided yet.
    pub(crate) fn is_probe(&self) -> bool {
        self.slot.is_some()
    }

    /// Marks the answer as not streamed, so that the limit for whole answers applies.
    pub(crate) fn whole(&mut self) {
        self.caller.whole = true;
    }

    /// The time from the start of the attempt to `now`.
    pub(super) fn took(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.started)
    }

    /// The attempt as a failed one.
    pub(super) fn failing(&self, now: Instant) -> FailedAttempt {
        FailedAttempt { started: self.started, now, extra: self.caller.extra }
    }

    /// Whether the attempt ran for about its own limit. An attempt that a deadline ended sooner is no evidence: a healthy
    /// provider may need longer.
    pub(super) fn had_its_time(&self, at: DecisionInput<'_>) -> bool {
        self.took(at.now) >= about(at.policy.limit(self.caller.whole))
    }

    /// The outcome of an attempt that its caller dropped: timed out if the deadline has passed, else cancelled.
    pub(crate) fn given_up(&self, now: Instant) -> Outcome {
        match self.caller.deadline {
            Some(deadline) if deadline <= now => Outcome::TimedOut { phase: Phase::Deadline },
            _ => Outcome::Cancelled,
        }
    }

    /// What to count of the latency at the end of a call. If the first event was counted, the latency is not counted again,
    /// unless the call became slow since then: that replaces the first count while it is in the window, and is a new count after
    /// that.
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

/// Four fifths of a limit.
pub(super) fn about(limit: Duration) -> Duration {
    limit / 5 * 4
}

//! Which fallbacks below take a call, and what the lower layers have to know about them.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{super::eligibility::FailureContext, FallbackRun};
use crate::{
    Request, Upstream,
    context::{Attempt, AttemptContext, ProbeSignal, Resend, ResendBudget, Route},
    fallback::{Fallback, failure::Failure},
    outcome::{Outcome, Phase},
    provenance::Maker,
    telemetry::{EventKind, SkipReason},
};

// === impl FallbackRun ===

impl<S: Upstream> FallbackRun<S> {
    /// Whether a fallback takes this failure, and there is time for it. Without a failure, the call needs more than the fallbacks
    /// so far offer, which counts as [`Outcome::TooLarge`].
    pub(super) fn fits(&self, at: usize, failure: Option<&Failure>) -> Result<(), SkipReason> {
        let (policy, fallback) = (self.policy(), &self.policy().fallbacks[at]);
        let (outcome, last) = failure.map_or((Outcome::TooLarge, 0), |it| (it.last, it.at));
        let failed = FailureContext { outcome, offers: &policy.fallbacks[last].offers, at: last };
        fallback.accepts(&self.info, self.request.body(), failed)?;
        policy.may_follow(at, &self.info, failure)?;
        if fallback.is_instant() {
            return Ok(());
        }
        if self.once {
            return Err(SkipReason::Once);
        }
        if !self.resend_wait().is_zero() {
            return Err(SkipReason::Resent);
        }
        if self.has_time() { Ok(()) } else { Err(SkipReason::Deadline) }
    }

    /// The time until the call may send its request to another target.
    pub(in crate::fallback) fn resend_wait(&self) -> Duration {
        let body = self.request.body().len();
        let wait = |resend: &ResendBudget| resend.room_in(body, Resend::Elsewhere, Instant::now());
        self.resend.as_ref().map_or(Duration::ZERO, wait)
    }

    /// Reports that a fallback is skipped.
    pub(super) fn skip(&self, at: usize, why: SkipReason) {
        let name = self.policy().fallbacks[at].name.clone();
        self.fallbacks.events.emit(EventKind::FallbackSkipped {
            fallback: at as u16,
            name,
            reason: why,
        });
    }

    /// Whether there is time for another target.
    pub(super) fn has_time(&self) -> bool {
        let left = self.deadline.map(|deadline| deadline.left(Instant::now()));
        left.is_none_or(|left| !left.is_zero() && self.least.is_none_or(|least| left >= least))
    }

    /// Whether a fallback below names that failure.
    pub(super) fn is_wanted(&self, outcome: Outcome, at: usize) -> bool {
        self.policy().fallbacks[at + 1..]
            .iter()
            .any(|fallback| fallback.names_failure(outcome, &self.info, self.request.body()))
    }

    /// Records in the attempt's context what the layers below need to know about the fallbacks under `at`.
    pub(super) fn place(&self, at: usize, request: &mut Request) {
        let late = Outcome::TimedOut { phase: Phase::Deadline };
        let policy = self.policy();
        let waits = policy.fallbacks[at + 1..].iter().any(Fallback::waits);
        let attempt = AttemptContext::of(request);
        attempt.elsewhere = self.leads_on(at, Outcome::NotSent { retry_in: None });
        attempt.last_target = !waits && !self.leads_on(at, late);
        // A call that must not be repeated is not sent to others beside a probe.
        let beside = attempt.elsewhere && self.info.effects().repeats();
        attempt.probe_signal = beside.then(ProbeSignal::default);
    }

    /// The makers of answers at the call's own first target, for an attempt elsewhere.
    pub(super) fn home(&mut self, at: usize) -> Option<Arc<[Maker]>> {
        if self.home.is_none() && at > 0 {
            self.home = Some(self.policy().home(&self.request, &self.info));
        }
        self.home.clone().filter(|_| at > 0 || self.policy().detour)
    }

    /// Whether a target below the fallback at `at` takes the call after that failure.
    fn leads_on(&self, at: usize, outcome: Outcome) -> bool {
        let fallbacks = &self.policy().fallbacks;
        let failed = FailureContext { outcome, offers: &fallbacks[at].offers, at };
        let able = |fallback: &Fallback| {
            !fallback.may_pass() || fallback.prepare(self.request(), &self.info, None).is_ok()
        };
        let takes = |at: usize| {
            let fallback = &fallbacks[at];
            fallback.asks()
                && fallback.accepts(&self.info, self.request.body(), failed).is_ok()
                && self.policy().may_go(at, &self.info).is_ok()
                && able(fallback)
        };
        !self.once && !self.late && (at + 1..fallbacks.len()).any(takes)
    }

    /// The same call, running concurrently with its own probe.
    pub(in crate::fallback) fn beside(&self) -> Self {
        Self { beside: true, ..self.clone() }
    }

    /// Lets all targets be tried again, also those that were tried during a race.
    pub(in crate::fallback) fn forget_asked(&mut self) {
        self.asked = false;
    }

    /// Logs a probe that continues while those below are tried.
    pub(in crate::fallback) fn log_probe(&self, fallback: usize, route: Route, took: Duration) {
        let name = Some(self.policy().fallbacks[fallback].name.clone());
        let (outcome, wait) = (Outcome::Cancelled, Duration::ZERO);
        self.attempt_log.under_way(Attempt {
            fallback: fallback as u16,
            name,
            route,
            outcome,
            status: None,
            wait,
            took,
            injected: None,
        });
    }
}

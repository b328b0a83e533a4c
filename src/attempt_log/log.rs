//! The log of a call's attempts.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{BodyEnd, CallId, Degradation, injected::Injected};
use crate::{fault_kind::FaultKind, outcome::Outcome, route::Route, sync::lock_std as lock};

/// The attempts of a call, in order.
///
/// A handle: clones share the same log, which is updated until the body of the answer has ended. It keeps the first
/// [`MAX`](Self::MAX) attempts and counts the rest.
#[derive(Clone)]
pub struct AttemptLog(Arc<Mutex<Log>>);

#[derive(Debug)]
struct Log {
    call: CallId,
    attempts: Vec<Attempt>,
    more: u32,
    sent: u32,
    /// The indices of attempts that are still under way.
    under_way: Vec<usize>,
    served_by: Option<Arc<str>>,
    all_failed: bool,
    degraded: Option<Degradation>,
    ending: Option<BodyEnd>,
    /// The faults of attempts that have not ended.
    injected: Vec<Injected>,
}

/// One attempt of a call, or one local refusal.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attempt {
    /// The position of the fallback, from 0.
    pub fallback: u16,
    /// The name of the fallback, if there is a fallback layer.
    pub name: Option<Arc<str>>,
    /// The route that it was sent to, or would have been.
    pub route: Route,
    /// The outcome; cancelled also while the attempt is still under way without its caller, as a breaker's probe may be.
    pub outcome: Outcome,
    /// The HTTP status, if there was a response.
    pub status: Option<u16>,
    /// How long the call waited before the attempt.
    pub wait: Duration,
    /// The duration up to the commit point.
    pub took: Duration,
    /// The fault that was injected on purpose, if there was one.
    pub injected: Option<FaultKind>,
}

// === impl Attempt ===

impl Attempt {
    /// Whether both have the same outcome at the same fallback and route.
    fn is_like(&self, other: &Self) -> bool {
        let same = self.fallback == other.fallback && self.route == other.route;
        same && self.outcome.name() == other.outcome.name() && self.injected == other.injected
    }
}

// === impl Log ===

impl Log {
    fn new() -> Self {
        Self {
            call: CallId::next(),
            attempts: Vec::new(),
            more: 0,
            sent: 0,
            under_way: Vec::new(),
            served_by: None,
            all_failed: false,
            degraded: None,
            ending: None,
            injected: Vec::new(),
        }
    }
}

// === impl AttemptLog ===

/// The empty log of a new call.
impl Default for AttemptLog {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Log::new())))
    }
}

impl AttemptLog {
    /// The maximum number of attempts kept.
    pub const MAX: usize = 64;

    /// The id of the call.
    pub fn call_id(&self) -> CallId {
        lock(&self.0).call
    }

    /// The attempts so far: the first [`MAX`](Self::MAX).
    pub fn attempts(&self) -> Vec<Attempt> {
        lock(&self.0).attempts.clone()
    }

    /// The attempt log of an answer, from the extensions of its response; an empty one if the response did not come through a
    /// stack.
    pub fn of(extensions: &http::Extensions) -> Self {
        extensions.get().cloned().unwrap_or_default()
    }

    /// Whether both are handles of one attempt log.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// How the body of the answer ended; `None` while it has not.
    pub fn ending(&self) -> Option<BodyEnd> {
        lock(&self.0).ending
    }

    pub(crate) fn ended(&self, ending: BodyEnd) {
        lock(&self.0).ending = Some(ending);
    }

    /// The number of attempts sent, kept or not; local refusals do not count.
    pub fn sent(&self) -> u32 {
        lock(&self.0).sent
    }

    /// The name of the fallback that answered; `None` if none has yet, or without a fallback layer.
    pub fn served_by(&self) -> Option<Arc<str>> {
        lock(&self.0).served_by.clone()
    }

    /// How the answer is less than what the caller asked for; `None` if it is not, or there is none yet.
    pub fn degraded(&self) -> Option<Degradation> {
        lock(&self.0).degraded
    }

    /// Logs an attempt that has ended; it replaces its entry if it was logged as under way.
    /// `copy`: it belongs to a second copy of the call.
    pub(crate) fn push(&self, mut attempt: Attempt, copy: bool) {
        let mut log = lock(&self.0);
        attempt.injected = log.take_injected(&attempt, copy);
        match log.take_under_way(&attempt) {
            Some(at) => log.attempts[at] = attempt,
            None => log.push(attempt),
        }
    }

    /// Notes the fault that is injected into an attempt under way, for its entry.
    #[cfg(feature = "chaos")]
    pub(crate) fn inject(&self, injection: Injected) {
        let mut log = lock(&self.0);
        if log.injected.len() < Self::MAX {
            log.injected.push(injection);
        }
    }

    /// Whether a fault was injected into that attempt, which has not ended.
    #[cfg(feature = "chaos")]
    pub(crate) fn is_injected(&self, attempt: &Injected) -> bool {
        lock(&self.0).injected.iter().any(|it| it.is_of(attempt))
    }

    /// Logs an attempt that is sent and still under way, as cancelled: its caller may be answered by another before it ends.
    pub(crate) fn under_way(&self, attempt: Attempt) {
        let mut log = lock(&self.0);
        if log.attempts.len() < Self::MAX {
            let at = log.attempts.len();
            log.under_way.push(at);
            log.push(Attempt { outcome: Outcome::Cancelled, ..attempt });
        }
    }

    /// Records that an answer failed while it was read, in the attempt that delivered it.
    pub(crate) fn broke(&self, outcome: Outcome) {
        let mut log = lock(&self.0);
        // Attempts beyond the maximum are only counted.
        if log.more == 0 {
            let brought =
                log.attempts.iter_mut().rev().find(|attempt| attempt.outcome.is_success());
            if let Some(attempt) = brought {
                attempt.outcome = outcome;
            }
        }
    }

    pub(crate) fn answered_by(&self, fallback: Arc<str>, degraded: Option<Degradation>) {
        let mut log = lock(&self.0);
        (log.served_by, log.degraded) = (Some(fallback), degraded);
    }

    /// Whether a fallback has continued an answer that broke off.
    pub(crate) fn is_continued(&self) -> bool {
        lock(&self.0).degraded == Some(Degradation::Resumed)
    }

    /// Whether the call failed since no target and no fallback was left: each of them failed, or was skipped since it does not
    /// take the call or had no time. `false` without a [fallback layer](crate::fallback), which every [`Client`](crate::Client)
    /// has, also one without fallbacks.
    pub fn all_failed(&self) -> bool {
        lock(&self.0).all_failed
    }

    pub(crate) fn set_all_failed(&self) {
        lock(&self.0).all_failed = true;
    }
}

// === impl Log ===

impl Log {
    fn push(&mut self, attempt: Attempt) {
        if !matches!(attempt.outcome, Outcome::NotSent { .. }) {
            self.sent = self.sent.saturating_add(1);
        }
        if self.attempts.len() < AttemptLog::MAX {
            self.attempts.push(attempt);
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    /// The fault of an attempt that has ended.
    fn take_injected(&mut self, ended: &Attempt, copy: bool) -> Option<FaultKind> {
        let is_its = |it: &Injected| {
            it.fallback == ended.fallback && it.copy == copy && it.route == ended.route
        };
        let at = self.injected.iter().position(is_its)?;
        Some(self.injected.swap_remove(at).fault)
    }

    /// The index of the attempt if it was logged as under way; removes that mark.
    fn take_under_way(&mut self, ended: &Attempt) -> Option<usize> {
        let logged = |at: &usize| {
            let attempt = &self.attempts[*at];
            attempt.fallback == ended.fallback && attempt.route == ended.route
        };
        let place = self.under_way.iter().position(logged)?;
        if matches!(ended.outcome, Outcome::NotSent { .. }) {
            self.sent = self.sent.saturating_sub(1);
        }
        Some(self.under_way.remove(place))
    }
}

impl fmt::Debug for AttemptLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let log = lock(&self.0);
        f.debug_struct("AttemptLog")
            .field("fallback", &log.served_by)
            .field("attempts", &log.attempts)
            .field("more", &log.more)
            .finish()
    }
}

impl fmt::Display for AttemptLog {
    /// One line: `primary unavailable ×3 in 488.1ms → secondary success in 1.3ms`. Equal attempts in a row are shown as one, with
    /// their waits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let log = lock(&self.0);
        let mut arrow = "";
        for like in log.attempts.chunk_by(Attempt::is_like) {
            f.write_str(std::mem::replace(&mut arrow, " → "))?;
            match &like[0].name {
                Some(name) => f.write_str(name)?,
                None => like[0].route.fmt(f)?,
            }
            write!(f, " {}", like[0].outcome.name())?;
            if let Some(fault) = like[0].injected {
                write!(f, " (chaos: {fault})")?;
            }
            if like.len() > 1 {
                write!(f, " ×{}", like.len())?;
            }
            let took: Duration = like.iter().map(|attempt| attempt.wait + attempt.took).sum();
            write!(f, " in {took:.1?}")?;
        }
        if log.more > 0 {
            write!(f, "{arrow}{} more", log.more)?;
        }
        // An answer without an attempt: a canned reply.
        let last = log.attempts.last().and_then(|attempt| attempt.name.as_ref());
        match &log.served_by {
            Some(fallback) if last != Some(fallback) => write!(f, "{arrow}{fallback}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(attempts: &[(Option<&str>, Outcome)], fallback: Option<&str>) -> String {
        let attempt_log = AttemptLog::default();
        for (name, outcome) in attempts {
            let attempt = Attempt {
                fallback: u16::from(*name == Some("secondary")),
                name: name.map(Into::into),
                route: Route::new("host", "model", "-"),
                outcome: *outcome,
                status: None,
                wait: Duration::from_millis(20),
                took: Duration::from_millis(5),
                injected: None,
            };
            attempt_log.push(attempt, false);
        }
        if let Some(fallback) = fallback {
            attempt_log.answered_by(fallback.into(), None);
        }
        attempt_log.to_string()
    }

    #[test]
    fn an_attempt_that_is_logged_under_way_is_counted_once() {
        let attempt_log = AttemptLog::default();
        let attempt = |model: &str, outcome| Attempt {
            fallback: 0,
            name: None,
            route: Route::new("host", model, "-"),
            outcome,
            status: None,
            wait: Duration::ZERO,
            took: Duration::ZERO,
            injected: None,
        };
        attempt_log.under_way(attempt("probe", Outcome::Success));
        attempt_log.push(attempt("other", Outcome::Success), false);
        let outcomes = || -> Vec<_> {
            attempt_log.attempts().iter().map(|attempt| attempt.outcome.name()).collect()
        };
        assert_eq!((outcomes(), attempt_log.sent()), (vec!["cancelled", "success"], 2));
        attempt_log.push(attempt("probe", Outcome::ConnectionLost), false);
        assert_eq!((outcomes(), attempt_log.sent()), (vec!["broken", "success"], 2));
        attempt_log.push(attempt("probe", Outcome::ConnectionLost), false);
        assert_eq!(attempt_log.sent(), 3, "a retry of it");
        attempt_log.under_way(attempt("refused", Outcome::Success));
        attempt_log.push(attempt("refused", Outcome::NotSent { retry_in: None }), false);
        assert_eq!(
            (attempt_log.attempts().len(), attempt_log.sent()),
            (4, 3),
            "it was not sent after all"
        );
    }

    #[cfg(feature = "chaos")]
    #[test]
    fn the_fault_of_an_attempt_is_in_its_entry_alone() {
        let attempt_log = AttemptLog::default();
        let route = Route::new("host", "model", "-");
        let attempt = || Attempt {
            fallback: 0,
            name: None,
            route: route.clone(),
            outcome: Outcome::ConnectionLost,
            status: None,
            wait: Duration::ZERO,
            took: Duration::ZERO,
            injected: None,
        };
        let fault = FaultKind::Reset;
        attempt_log.inject(Injected { fallback: 0, route: route.clone(), copy: true, fault });
        attempt_log.push(attempt(), false);
        attempt_log.push(attempt(), true);
        attempt_log.push(attempt(), true);
        let faults: Vec<_> = attempt_log.attempts().iter().map(|it| it.injected).collect();
        assert_eq!(faults, [None, Some(fault), None]);
        assert_eq!(
            attempt_log.to_string(),
            "host/model#- broken in 0.0ns → host/model#- broken (chaos: reset) in 0.0ns → host/model#- broken in 0.0ns"
        );
    }

    #[test]
    fn a_attempt_log_is_told_in_one_line() {
        let down = Outcome::Unavailable { wait: None };
        let primary = (Some("primary"), down);
        let secondary = (Some("secondary"), Outcome::Success);
        assert_eq!(
            told(&[primary, primary, secondary], Some("secondary")),
            "primary unavailable ×2 in 50.0ms → secondary success in 25.0ms"
        );
        assert_eq!(
            told(&[primary, (Some("secondary"), down)], Some("canned")),
            "primary unavailable in 25.0ms → secondary unavailable in 25.0ms → canned"
        );
        assert_eq!(told(&[], Some("canned")), "canned");
        assert_eq!(told(&[(None, down)], None), "host/model#- unavailable in 25.0ms");
        let many = vec![primary; AttemptLog::MAX + 3];
        assert_eq!(told(&many, None), "primary unavailable ×64 in 1.6s → 3 more");
    }
}

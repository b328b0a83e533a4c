//! Failing attempts in a row, and whether chance explains them at the failure rate that the route has had.

mod past;

use std::time::Duration;

use tokio::time::Instant;

pub(super) use self::past::{Past, shows_more_than};
use crate::breaker::{BreakerPolicy, policy::Rule};

/// A run of failing attempts without a success in between.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FailureRun {
    /// Independent failures: attempts that were under way together and failed at about the same time count as one.
    counted: u32,
    /// The calls that failed: a retry belongs to the call of the attempt before it.
    pub(super) calls: u32,
    /// All failing attempts of the run.
    pub(super) failed: u32,
    /// The attempts that were let through during the run.
    admitted: u32,
    /// The admitted attempts that have failed.
    ended: u32,
    pub(super) since: Instant,
    /// When the last independent failure happened.
    pub(super) last: Instant,
}

/// A run and the attempts before it, for one kind of failure.
#[derive(Clone, Copy, Debug)]
pub(super) struct FailureHistory {
    pub(super) run: Option<FailureRun>,
    pub(super) past: Past,
}

/// A failing attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct FailedAttempt {
    pub(super) started: Instant,
    pub(super) now: Instant,
    /// Whether the attempt is a retry or a hedge.
    pub(super) extra: bool,
}

/// The chance below which a run is suspicious: enough to ask another target first, if there is one. At a route that fails half of
/// its attempts this takes five failures; at one that hardly fails, two.
pub(super) const SUSPICION: f64 = 0.1;

/// The fewest calls for which a default rule opens.
const FEWEST: u32 = 3;

/// The share of attempts that has to fail, relative to the share that opens, until calls that have another target go there: with
/// half of the attempts failing, two in a row still answer most calls.
pub(super) const ATTEMPTS: f64 = 1.1;

/// The share of calls that has to fail for the same effect, relative to the share that opens: each of these calls waited here
/// before it was answered elsewhere.
pub(super) const CALLS: f64 = 0.6;

/// The chance below which that share is suspicious. The only cost is that another target is asked first.
pub(super) const CALLS_CHANCE: f64 = 0.3;

// === impl FailureRun ===

impl FailureRun {
    pub(super) fn new(first: FailedAttempt) -> Self {
        let FailedAttempt { now, .. } = first;
        Self { counted: 1, calls: 1, failed: 1, admitted: 0, ended: 0, since: now, last: now }
    }

    pub(super) fn add(&mut self, failing: FailedAttempt, policy: &BreakerPolicy) {
        let FailedAttempt { started, now, extra } = failing;
        self.failed = self.failed.saturating_add(1);
        self.calls = self.calls.saturating_add(u32::from(!extra));
        self.ended = self.ended.saturating_add(u32::from(started >= self.since));
        let together = started < self.last;
        if !together || now.saturating_duration_since(self.last) >= policy.min_span / 4 {
            self.counted = self.counted.saturating_add(1);
            self.last = now;
        }
    }

    /// Counts another attempt that was let through.
    pub(super) fn admit(&mut self) {
        self.admitted = self.admitted.saturating_add(1);
    }

    /// Continues a run that was considered ended.
    pub(super) fn resume(self, earlier: Self) -> Self {
        Self {
            counted: self.counted.saturating_add(earlier.counted),
            calls: self.calls.saturating_add(earlier.calls),
            failed: self.failed.saturating_add(earlier.failed),
            admitted: self.admitted.saturating_add(earlier.admitted),
            // The attempt that seemed to be answered has failed.
            ended: self.ended.saturating_add(earlier.ended).saturating_add(1),
            since: earlier.since,
            last: self.last,
        }
    }

    /// Whether rejections of the credential open the breaker. Rejections that arrive together count separately, since they are
    /// not lost with a connection, and attempts under way do not weigh against them.
    pub(super) fn locks_out(&self, policy: &BreakerPolicy, past: &Past) -> bool {
        match policy.unauthorized {
            None => false,
            Some(Rule::Exact(calls)) => self.failed >= calls,
            Some(Rule::Improbable(like)) => {
                self.failed >= like && past.explains_not(self.failed, 0.0, like)
            }
        }
    }

    /// Whether the run opens the breaker.
    pub(super) fn opens(&self, policy: &BreakerPolicy, past: &Past, now: Instant) -> bool {
        match policy.consecutive_failures {
            None => false,
            Some(Rule::Exact(calls)) => self.calls >= calls,
            Some(Rule::Improbable(like)) => {
                now.saturating_duration_since(self.since) >= policy.min_span
                    && self.calls >= FEWEST.min(like)
                    && self.is_most(2)
                    && past.explains_not(self.counted, self.pending(), like)
            }
        }
    }

    /// Whether the run ends the recovery: by an explicit rule, or by three calls if that is fewer. By default only the share
    /// decides.
    pub(super) fn ends_recovery(&self, policy: &BreakerPolicy) -> bool {
        matches!(policy.consecutive_failures, Some(Rule::Exact(calls)) if self.calls >= calls.min(FEWEST))
    }

    /// Whether a call that has another target should go there first. One failure is enough where the trouble is `shared` with
    /// another route of the provider.
    pub(super) fn is_suspicious(
        &self,
        policy: &BreakerPolicy,
        past: &Past,
        now: Instant,
        shared: bool,
    ) -> bool {
        match policy.consecutive_failures {
            // This rule refuses no call without another target, so attempts that fail together count separately, and all of the
            // route's past counts, however old.
            Some(Rule::Improbable(like)) => {
                let spans = now.saturating_duration_since(self.since) >= policy.min_span / 4;
                let improbable = || past.all.is_improbable(self.failed, 0.0, SUSPICION, like);
                spans && self.is_most(3) && (shared || self.calls > 1 && improbable())
            }
            _ => false,
        }
    }

    /// How many attempts are under way for each one that has failed. They may still be answered: an answer takes longer than most
    /// failures.
    fn pending(&self) -> f64 {
        f64::from(self.admitted.saturating_sub(self.ended)) / f64::from(self.failed)
    }

    /// Whether at least one in `of` of the attempts admitted during the run has failed. Failures often arrive sooner than
    /// answers, so the attempts under way are no evidence yet.
    fn is_most(&self, of: u64) -> bool {
        u64::from(self.failed) * of >= u64::from(self.admitted)
    }
}

// === impl FailureHistory ===

impl FailureHistory {
    pub(super) fn new(now: Instant) -> Self {
        Self { run: None, past: Past::new(now) }
    }

    /// Ends the run on a success, unless the attempt started before the run: a provider may still finish answers that it began
    /// before it went down.
    pub(super) fn succeed(&mut self, started: Instant, window: Duration, now: Instant) {
        self.past.succeed(window, now);
        if let Some(run) = self.run.take_if(|run| run.since <= started) {
            self.past.take(run.failed, window, now);
        }
    }

    /// Adds a failing attempt, and returns the run with it.
    pub(super) fn fail(&mut self, failing: FailedAttempt, policy: &BreakerPolicy) -> FailureRun {
        let run = match self.run {
            None => FailureRun::new(failing),
            Some(mut run) => {
                run.add(failing, policy);
                run
            }
        };
        *self.run.insert(run)
    }
}

#[cfg(test)]
mod tests {
    use super::{past::Tried, *};

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// How many failures in a row, one second apart, open a route with that past.
    fn opens_after(attempts: u32, failed: u32) -> u32 {
        let policy = BreakerPolicy::default();
        let start = Instant::now();
        let mut past = Past::new(start);
        past.episode = Tried { attempts: f64::from(attempts), failed: f64::from(failed) };
        let failing = |n: u32| {
            let now = start + ms(1000) * n;
            FailedAttempt { started: now, now, extra: false }
        };
        let mut run = FailureRun::new(failing(1));
        for n in 2.. {
            if run.opens(&policy, &past, failing(n - 1).now) {
                return n - 1;
            }
            run.add(failing(n), &policy);
        }
        unreachable!("a run without end is improbable")
    }

    #[test]
    fn the_row_that_opens_depends_on_what_the_route_has_failed_before() {
        let table = [
            (0, 0, 5),
            (10, 1, 5),
            (30, 3, 5),
            (100, 2, 5),
            (1000, 10, 5),
            (1000, 100, 6),
            (1000, 300, 11),
            (1000, 500, 19),
        ];
        for (attempts, failed, row) in table {
            assert_eq!(opens_after(attempts, failed), row, "{failed} of {attempts}");
        }
        // At a hundred calls a second the past is long, and there are more evaluations.
        assert_eq!(opens_after(43_000, 12_900), 15);
    }

    #[test]
    fn the_share_that_opens_depends_on_how_many_calls_show_it() {
        let past = Past::new(Instant::now());
        let least = |calls| {
            (0..=calls).find(|failed| shows_more_than(0.5, *failed, calls, past.share_chance()))
        };
        let table = [(4, None), (5, Some(5)), (10, Some(8)), (30, Some(18)), (61, Some(31))];
        for (calls, failed) in table {
            assert_eq!(least(calls), failed, "of {calls}");
        }
        assert!(!shows_more_than(0.5, 0, 0, past.share_chance()));
        assert!(shows_more_than(1.0, 11, 11, past.share_chance()));
        let mut known = past;
        known.all = Tried { attempts: 400.0, failed: 0.0 };
        assert!(!shows_more_than(0.5, 18, 30, known.share_chance()));
        assert!(shows_more_than(0.5, 21, 30, known.share_chance()));
    }

    #[test]
    fn failures_at_one_moment_are_one_and_those_of_one_call_are_one_call() {
        let policy = BreakerPolicy::default();
        let start = Instant::now();
        let now = start + ms(500);
        let mut run = FailureRun::new(FailedAttempt { started: start, now, extra: false });
        for _ in 0..49 {
            run.add(FailedAttempt { started: start, now, extra: false }, &policy);
        }
        assert_eq!((run.counted, run.calls), (1, 50));
        let later = now + ms(250);
        run.add(FailedAttempt { started: start, now: later, extra: true }, &policy);
        assert_eq!((run.counted, run.calls), (2, 50));
        run.add(FailedAttempt { started: later, now: later, extra: true }, &policy);
        assert_eq!((run.counted, run.calls), (3, 50));
    }

    #[test]
    fn failures_say_nothing_while_most_attempts_are_under_way() {
        let policy = BreakerPolicy::default();
        let start = Instant::now();
        let past = Past::new(start);
        let failing = |n: u32| {
            let now = start + ms(1000) * n;
            FailedAttempt { started: now, now, extra: false }
        };
        let mut run = FailureRun::new(failing(0));
        for n in 1..30 {
            (0..4).for_each(|_| run.admit());
            run.add(failing(n), &policy);
            assert!(!run.opens(&policy, &past, failing(n).now), "one in four has failed so far");
        }
    }

    #[test]
    fn the_past_counts_half_after_ten_windows() {
        let start = Instant::now();
        let mut past = Past::new(start);
        (0..100).for_each(|_| past.succeed(ms(1000), start));
        past.succeed(ms(1000), start + ms(10_000));
        assert!((past.all.attempts - 51.0).abs() < 1e-9);
    }
}

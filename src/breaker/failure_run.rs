//! Failing attempts in a row, and whether chance explains them at the share of failures that the route has had.

mod past;

use std::time::Duration;

use tokio::time::Instant;

pub(super) use self::past::{Past, shows_more_than};
use crate::breaker::{BreakerPolicy, policy::Rule};

/// Failing attempts without a success in between.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FailureRun {
    /// Attempts that are evidence of their own: of those that were under way together and failed at about the same time, one.
    counted: u32,
    /// The calls that failed: a retry belongs to the call of the attempt before it.
    pub(super) calls: u32,
    /// All failing attempts.
    pub(super) failed: u32,
    /// The attempts that were let through meanwhile.
    admitted: u32,
    /// Those of them that have failed.
    ended: u32,
    pub(super) since: Instant,
    /// When the last counted one failed.
    pub(super) last: Instant,
}

/// A run and what came before it, of one kind of failure.
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
    /// It is a retry, or a second copy.
    pub(super) extra: bool,
}

/// The chance by which a run is suspicious: enough to ask another target first, where there is one. At a route that fails half
/// of its attempts that takes five failures, at one that fails hardly any two.
pub(super) const SUSPICION: f64 = 0.1;

/// No default rule opens for fewer calls.
const FEWEST: u32 = 3;

/// How much more attempts than calls have to fail, as a share, until calls that have another target go there: at half of the
/// attempts two in a row still answer most calls.
pub(super) const ATTEMPTS: f64 = 1.1;

/// How many calls have to fail for the same, as a part of the share that opens: each has waited here before it was answered
/// elsewhere.
pub(super) const CALLS: f64 = 0.6;

/// The chance by which that share is suspicious. All that it costs is that another target is asked first.
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

    /// Another attempt was let through.
    pub(super) fn admit(&mut self) {
        self.admitted = self.admitted.saturating_add(1);
    }

    /// Goes on with a run that was taken for ended.
    pub(super) fn resume(self, earlier: Self) -> Self {
        Self {
            counted: self.counted.saturating_add(earlier.counted),
            calls: self.calls.saturating_add(earlier.calls),
            failed: self.failed.saturating_add(earlier.failed),
            admitted: self.admitted.saturating_add(earlier.admitted),
            // The one that was taken for an answer has failed.
            ended: self.ended.saturating_add(earlier.ended).saturating_add(1),
            since: earlier.since,
            last: self.last,
        }
    }

    /// Whether rejections of the credential open the breaker. A credential is not lost with a connection, and what is under way
    /// with it says nothing sooner.
    pub(super) fn locks_out(&self, policy: &BreakerPolicy, past: &Past) -> bool {
        match policy.unauthorized {
            None => false,
            Some(Rule::Exact(calls)) => self.failed >= calls,
            Some(Rule::Improbable(like)) => {
                self.failed >= like && past.explains_not(self.failed, 0.0, like)
            }
        }
    }

    /// Whether it opens the breaker.
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

    /// Whether it is too much while the route recovers: by a rule that was set, or three calls where that is less. By default the
    /// share decides.
    pub(super) fn ends_recovery(&self, policy: &BreakerPolicy) -> bool {
        matches!(policy.consecutive_failures, Some(Rule::Exact(calls)) if self.calls >= calls.min(FEWEST))
    }

    /// Whether a call that has another target should ask that one first. One failure is enough where the trouble is `shared`
    /// by another route of the provider.
    pub(super) fn is_suspicious(
        &self,
        policy: &BreakerPolicy,
        past: &Past,
        now: Instant,
        shared: bool,
    ) -> bool {
        match policy.consecutive_failures {
            // Nobody is refused by it who has no other target, so that attempts which fail together count each, and what is
            // usual at the route counts however long ago.
            Some(Rule::Improbable(like)) => {
                let spans = now.saturating_duration_since(self.since) >= policy.min_span / 4;
                let improbable = || past.all.is_improbable(self.failed, 0.0, SUSPICION, like);
                spans && self.is_most(3) && (shared || self.calls > 1 && improbable())
            }
            _ => false,
        }
    }

    /// How many attempts are under way for each that has failed. They may be answered yet: an answer takes longer than most
    /// failures.
    fn pending(&self) -> f64 {
        f64::from(self.admitted.saturating_sub(self.ended)) / f64::from(self.failed)
    }

    /// Whether one in `of` of the attempts that were let through meanwhile has failed: failures often come sooner than answers,
    /// and as long as the others are under way they say nothing.
    fn is_most(&self, of: u64) -> bool {
        u64::from(self.failed) * of >= u64::from(self.admitted)
    }
}

// === impl FailureHistory ===

impl FailureHistory {
    pub(super) fn new(now: Instant) -> Self {
        Self { run: None, past: Past::new(now) }
    }

    /// A success ends the run, unless it was asked for before: what a provider had begun to do before it went down may still
    /// come.
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

    /// How many failures in a row, a second from one to the next, open at a route with that past.
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
        // At a hundred calls a second the past is long, and there are more looks.
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

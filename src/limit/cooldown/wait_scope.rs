//! Whether the wait that the provider names for one attempt concerns the whole route.
//!
//! A rate limit with a wait is the answer to one attempt. Most often it holds for the whole route: the key has used up its limit,
//! and nothing sent before that time is let in. But where one request is too large for what is left, or one machine behind the
//! provider's balancer has its own counter, other attempts are still let in. If the route were closed for each of those, all
//! callers would wait for what concerns one of them.
//!
//! So the other attempts decide. An attempt that was sent after the limited one, in the first half of its wait, and is let in
//! shows that the wait did not concern the route. The more often that happens, the more limited attempts in a row it takes to
//! close the route: enough to be improbable at the share seen so far. Before it has happened, one is enough.

use std::time::Duration;

use tokio::time::Instant;

use crate::time::saturating_add;

/// The waits that the provider has named for the attempts of a route.
#[derive(Debug, Default)]
pub(super) struct WaitScope {
    /// The number of attempts that were let in. Fades.
    let_in: f64,
    /// The number of limited attempts whose wait did not concern the route. Fades.
    refuted: f64,
    /// Limited attempts since the last one that was let in.
    limited_in_a_row: u32,
    /// Limited attempts whose wait is not refuted so far.
    not_refuted: u32,
    last_limit: Option<LastLimit>,
}

/// The last limited attempt.
#[derive(Clone, Copy, Debug)]
struct LastLimit {
    sent_at: Instant,
    /// When half of its wait is over. Later attempts may have found room again.
    half_over_at: Instant,
}

/// A run of limited attempts closes the route if its probability, given a route that is not limited as a whole, is at most this.
const IMPROBABLE: f64 = 0.02;

/// Above this number of attempts, all counts are halved.
const MAX_REMEMBERED: f64 = 128.0;

// === impl WaitScope ===

impl WaitScope {
    /// Records that an attempt was limited for `wait`. Returns whether that concerns the whole route.
    pub(super) fn on_limited(&mut self, sent_at: Instant, wait: Duration) -> bool {
        self.limited_in_a_row = self.limited_in_a_row.saturating_add(1);
        self.not_refuted = self.not_refuted.saturating_add(1);
        if self.last_limit.is_none_or(|last| last.sent_at <= sent_at) {
            let half_over_at = saturating_add(sent_at, wait / 2);
            self.last_limit = Some(LastLimit { sent_at, half_over_at });
        }
        self.refuted_share().powf(f64::from(self.limited_in_a_row)) <= IMPROBABLE
    }

    /// Records that the provider has let an attempt in. Returns whether this shows that the last wait did not concern the whole
    /// route.
    pub(super) fn on_let_in(&mut self, sent_at: Instant) -> bool {
        self.let_in += 1.0;
        self.limited_in_a_row = 0;
        let last = self.last_limit.take_if(|last| last.sent_at < sent_at);
        let is_refuted = last.is_some_and(|last| sent_at < last.half_over_at);
        if last.is_some() {
            let limited = std::mem::take(&mut self.not_refuted);
            self.refuted += if is_refuted { f64::from(limited) } else { 0.0 };
        }
        if self.let_in + self.refuted > MAX_REMEMBERED {
            (self.let_in, self.refuted) = (self.let_in / 2.0, self.refuted / 2.0);
        }
        is_refuted
    }

    fn refuted_share(&self) -> f64 {
        self.refuted / (self.refuted + self.let_in).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_first_limit_closes_and_so_does_every_one_while_no_attempt_is_let_in_meanwhile() {
        let start = Instant::now();
        let mut scope = WaitScope::default();
        for minute in 0..100 {
            let now = start + minute * 60 * SECOND;
            // Three are let in, the fourth is limited: then no attempt is sent until the time has passed.
            for n in 0..3 {
                assert!(!scope.on_let_in(now + n * SECOND));
            }
            assert!(scope.on_limited(now + 3 * SECOND, 57 * SECOND));
        }
    }

    #[test]
    fn an_answer_to_what_was_sent_before_the_limit_or_late_in_the_wait_shows_nothing() {
        let start = Instant::now();
        let mut scope = WaitScope::default();
        assert!(scope.on_limited(start + SECOND, 10 * SECOND));
        assert!(!scope.on_let_in(start));
        assert!(!scope.on_let_in(start + 6 * SECOND));
        assert!(!scope.on_let_in(start + 2 * SECOND), "of a limit that was over by then");
        assert!(scope.on_limited(start + 20 * SECOND, 10 * SECOND));
    }

    #[test]
    fn where_one_in_four_is_limited_a_run_closes_that_is_improbable() {
        let start = Instant::now();
        let mut scope = WaitScope::default();
        let at = |n: u32| start + n * SECOND / 20;
        for n in 0..100 {
            match n % 4 {
                0 => _ = scope.on_limited(at(n), SECOND),
                after => assert_eq!(scope.on_let_in(at(n)), after == 1),
            }
        }
        let closes: Vec<_> = (100..104).map(|n| scope.on_limited(at(n), SECOND)).collect();
        assert_eq!(closes, [false, false, true, true]);
    }

    #[test]
    fn what_was_refuted_fades() {
        let start = Instant::now();
        let mut scope = WaitScope::default();
        assert!(scope.on_limited(start, SECOND) && scope.on_let_in(start + SECOND / 4));
        let later = start + 60 * SECOND;
        assert!(!scope.on_limited(later, SECOND));
        for _ in 0..1000 {
            scope.on_let_in(later + SECOND);
        }
        assert!(scope.on_limited(later + 2 * SECOND, SECOND));
    }
}

//! Whether the wait that one attempt was told is everybody's.
//!
//! A rate limit that comes with a wait is said to one attempt. Most often it holds for the whole route: the key has used up
//! what it may, and nothing that is sent before the time is answered. But where one request is too large for what is left, or
//! one machine behind the provider's balancer has its own count, others are answered all the while. Were the route closed for
//! each of those, all callers would wait for what hit one of them.
//!
//! So what others come to decides. An attempt that was sent after the limited one, in the first half of the wait it was told,
//! and is answered, shows that the wait was not everybody's. The more often that happens, the more limited attempts in a row
//! it takes to close the route: as many as are improbable at the share seen so far. While it has not happened, one is enough.

use std::time::Duration;

use tokio::time::Instant;

use crate::time::saturating_add;

/// What is known of the waits that the attempts of a route were told.
#[derive(Debug, Default)]
pub(super) struct Doubt {
    /// Attempts that were answered, and that were told a wait which was not everybody's. Both fade.
    answered: f64,
    wrong: f64,
    /// Limited attempts since the last answer.
    run: u32,
    /// Those whose wait nothing speaks against so far.
    open: u32,
    claim: Option<Claim>,
}

/// What the last limited attempt said.
#[derive(Clone, Copy, Debug)]
struct Claim {
    sent: Instant,
    /// Until half of its wait was over. What is sent later may have found room again.
    half: Instant,
}

/// With this chance, or less, a run of limited attempts came about although the route as a whole is not limited.
const IMPROBABLE: f64 = 0.02;

/// With more attempts than this, what was seen of them counts half.
const REMEMBERED: f64 = 128.0;

// === impl Doubt ===

impl Doubt {
    /// An attempt was told to wait for so long. Returns whether all are to wait.
    pub(super) fn limited(&mut self, sent: Instant, wait: Duration) -> bool {
        self.run = self.run.saturating_add(1);
        self.open = self.open.saturating_add(1);
        if self.claim.is_none_or(|claim| claim.sent <= sent) {
            self.claim = Some(Claim { sent, half: saturating_add(sent, wait / 2) });
        }
        self.share().powf(f64::from(self.run)) <= IMPROBABLE
    }

    /// An attempt that was sent then is answered. Returns whether the wait told last was not everybody's.
    pub(super) fn answered(&mut self, sent: Instant) -> bool {
        self.answered += 1.0;
        self.run = 0;
        let claim = self.claim.take_if(|claim| claim.sent < sent);
        let wrong = claim.is_some_and(|claim| sent < claim.half);
        if claim.is_some() {
            let told = std::mem::take(&mut self.open);
            self.wrong += if wrong { f64::from(told) } else { 0.0 };
        }
        if self.answered + self.wrong > REMEMBERED {
            (self.answered, self.wrong) = (self.answered / 2.0, self.wrong / 2.0);
        }
        wrong
    }

    fn share(&self) -> f64 {
        self.wrong / (self.wrong + self.answered).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_first_limit_closes_and_so_does_every_one_while_nobody_is_answered_meanwhile() {
        let start = Instant::now();
        let mut doubt = Doubt::default();
        for minute in 0..100 {
            let now = start + minute * 60 * SECOND;
            // Three are answered, the fourth is limited: then nobody asks until the time has passed.
            for n in 0..3 {
                assert!(!doubt.answered(now + n * SECOND));
            }
            assert!(doubt.limited(now + 3 * SECOND, 57 * SECOND));
        }
    }

    #[test]
    fn an_answer_to_what_was_sent_before_the_limit_or_late_in_the_wait_says_nothing() {
        let start = Instant::now();
        let mut doubt = Doubt::default();
        assert!(doubt.limited(start + SECOND, 10 * SECOND));
        assert!(!doubt.answered(start));
        assert!(!doubt.answered(start + 6 * SECOND));
        assert!(!doubt.answered(start + 2 * SECOND), "of a limit that was over by then");
        assert!(doubt.limited(start + 20 * SECOND, 10 * SECOND));
    }

    #[test]
    fn where_one_in_four_is_limited_a_run_closes_that_is_improbable() {
        let start = Instant::now();
        let mut doubt = Doubt::default();
        let at = |n: u32| start + n * SECOND / 20;
        for n in 0..100 {
            match n % 4 {
                0 => _ = doubt.limited(at(n), SECOND),
                after => assert_eq!(doubt.answered(at(n)), after == 1),
            }
        }
        let closes: Vec<_> = (100..104).map(|n| doubt.limited(at(n), SECOND)).collect();
        assert_eq!(closes, [false, false, true, true]);
    }

    #[test]
    fn doubt_fades() {
        let start = Instant::now();
        let mut doubt = Doubt::default();
        assert!(doubt.limited(start, SECOND) && doubt.answered(start + SECOND / 4));
        let later = start + 60 * SECOND;
        assert!(!doubt.limited(later, SECOND));
        for _ in 0..1000 {
            doubt.answered(later + SECOND);
        }
        assert!(doubt.limited(later + 2 * SECOND, SECOND));
    }
}

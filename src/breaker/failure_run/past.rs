//! The failures of a route in the past, and which further ones chance explains.

use std::time::Duration;

use tokio::time::Instant;

use crate::breaker::BreakerPolicy;

/// The attempts of a route and how many of them failed. Older ones weigh less: half after ten windows.
#[derive(Clone, Copy, Debug)]
pub(in crate::breaker) struct Past {
    pub(super) all: Tried,
    /// The attempts since failures began. The healthy time before them is no evidence about the present: a provider that fails
    /// one attempt in five from now on has no outage, however healthy it was.
    pub(super) episode: Tried,
    /// Successes since the last failure.
    calm: u32,
    at: Instant,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tried {
    pub(super) attempts: f64,
    pub(super) failed: f64,
}

/// The number of windows after which an attempt of the past counts half.
const HALF_LIFE: f64 = 10.0;

/// The number of successes without a failure after which the failures have ended. Where one attempt in five fails, that many are
/// rare.
const CALM: u32 = 20;

/// The weight of the default threshold against the past, in attempts.
const PRIOR: f64 = 6.0;

/// The part of a share of failures that is bearable where the whole share is not.
const BEARABLE: f64 = 0.6;

/// The chance below which a share of failed calls opens by default, if only the bearable part of it fails.
const SHARE_CHANCE: f64 = 0.005;

// === impl Past ===

impl Past {
    pub(in crate::breaker) fn new(now: Instant) -> Self {
        Self { all: Tried::default(), episode: Tried::default(), calm: CALM, at: now }
    }

    pub(in crate::breaker) fn succeed(&mut self, window: Duration, now: Instant) {
        self.fade(window, now);
        self.all.attempts += 1.0;
        self.calm = self.calm.saturating_add(1);
        if self.calm >= CALM {
            self.episode = Tried::default();
        } else {
            self.episode.attempts += 1.0;
        }
    }

    /// Adds a run of `failed` failed attempts that has ended to the past.
    pub(in crate::breaker) fn take(&mut self, failed: u32, window: Duration, now: Instant) {
        self.fade(window, now);
        self.take_in(failed);
    }

    /// The same, without fading: as of the last time that anything was counted.
    pub(in crate::breaker) fn take_in(&mut self, failed: u32) {
        self.calm = 0;
        for tried in [&mut self.all, &mut self.episode] {
            tried.attempts += f64::from(failed);
            tried.failed += f64::from(failed);
        }
    }

    /// Fades the past in steps of a tenth of the window, not at each call.
    fn fade(&mut self, window: Duration, now: Instant) {
        let gone = now.saturating_duration_since(self.at);
        if gone >= window / 10 {
            let left = (-gone.as_secs_f64() / (HALF_LIFE * window.as_secs_f64())).exp2();
            self.at = now;
            for tried in [&mut self.all, &mut self.episode] {
                tried.attempts *= left;
                tried.failed *= left;
            }
        }
    }

    /// Whether chance does not explain `row` failures in a row, neither at the share of all attempts nor at the share since
    /// failures began. The chance is divided by the number of attempts, since each attempt is another occasion for a run.
    pub(super) fn explains_not(&self, row: u32, pending: f64, like: u32) -> bool {
        [self.episode, self.all].iter().all(|tried| {
            let chance = 2.0 * BreakerPolicy::CHANCE / (tried.attempts + 2.0);
            tried.is_improbable(row, pending, chance, like)
        })
    }

    /// The chance below which a share of failed calls opens by default. It falls with the number of attempts of the route, since
    /// each is another occasion for such a share.
    pub(in crate::breaker) fn share_chance(&self) -> f64 {
        SHARE_CHANCE / (1.0 + self.all.attempts / 10.0)
    }
}

// === impl Tried ===

impl Tried {
    /// Whether `row` failures have a chance of at most `chance` after those attempts, with `pending` attempts under way for each
    /// failure that may still be answered. Without any this is the chance of `row` failures in a row.
    pub(super) fn is_improbable(&self, row: u32, pending: f64, chance: f64, like: u32) -> bool {
        // A route without a past gets one in which `like` failures in a row are just improbable enough.
        let prior = BreakerPolicy::CHANCE.powf(1.0 / f64::from(like));
        let share = (self.failed + PRIOR * prior) / (self.attempts + PRIOR);
        let seen = 1.0 / (1.0 + pending);
        let tried = f64::from(row) / seen;
        seen > share && tried * divergence(seen, share) >= -chance.ln() - 1e-9
    }
}

/// Whether `failed` of `calls` show that more than `share` fail: if at most the bearable part of that share failed, this number
/// would have a chance below `chance` (the bound of Chernoff and Hoeffding, 1963).
pub(in crate::breaker) fn shows_more_than(
    share: f64,
    failed: u32,
    calls: u32,
    chance: f64,
) -> bool {
    let seen = f64::from(failed) / f64::from(calls);
    let bearable = BEARABLE * share;
    if calls == 0 || seen < share {
        return false;
    }
    f64::from(calls) * divergence(seen, bearable) >= -chance.ln()
}

/// How improbable a share is where another is expected, per attempt: the negative logarithm of the chance.
fn divergence(seen: f64, expected: f64) -> f64 {
    let term =
        |seen: f64, expected: f64| if seen > 0.0 { seen * (seen / expected).ln() } else { 0.0 };
    term(seen, expected) + term(1.0 - seen, 1.0 - expected)
}

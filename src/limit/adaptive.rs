//! How many calls at a time: found by trying, on the time to the first event and on refusals.

mod latency;
mod policy;
mod usual;

use tokio::time::Instant;

pub(crate) use self::latency::Form;
use self::latency::{Finding, Latency, Round, Sample};
pub use self::policy::AdaptivePolicy;

/// The limit and what it was learnt from. Plain state under the lock of its owner.
///
/// It goes by rounds. A round is made of calls that began after the last change of the limit, so each change is judged by
/// calls that have felt it, whether a call takes 300 ms or three minutes. Only calls count that were sent while the limit
/// was in use. A round in time lets the limit grow: in steps that treble, up to half of it, where nothing is known to be in
/// the way; up to one below the ceiling, where a refusal or a queue has shown one; and by one above the ceiling, after a
/// patience. A refusal takes back the step that brought it, or a tenth where no step was being tried, and so once for all the
/// calls that were under way by then.
#[derive(Debug)]
pub(crate) struct Adaptive {
    policy: AdaptivePolicy,
    limit: u32,
    /// What was known to be good before the last step up; the limit itself when none is being tried.
    good: u32,
    /// How far the last step went, or the next one goes below a ceiling.
    step: u32,
    /// The least that is known to be too many.
    ceiling: Option<u32>,
    in_flight: u32,
    /// The round that goes on, how many calls have begun in it, and the first one after the last cut.
    round: u64,
    begun: u32,
    cut: u64,
    /// Calls in time since then.
    quiet: u32,
    latency: Latency,
}

/// A call that is under way: when it began, in which round, and as which call of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begun {
    at: Instant,
    round: u64,
    nth: u32,
}

/// A round has at least so many calls, as the median of fewer is chance.
const ROUND_LEAST: u32 = 5;
/// Where answers are of several lengths it takes more, as a few may all be long ones by chance.
const ROUND_MIXED: u32 = 20;
/// And at most so many, as waiting for more would teach little.
const ROUND_MOST: u32 = 25;

// === impl Adaptive ===

impl Adaptive {
    /// A limit that knows nothing yet, of a policy that was checked.
    pub(crate) fn new(policy: AdaptivePolicy) -> Self {
        let limit = policy.initial;
        Self {
            limit,
            good: limit,
            step: (limit / 2).max(1),
            ceiling: None,
            in_flight: 0,
            round: 0,
            begun: 0,
            cut: 0,
            quiet: 0,
            latency: Latency::new(policy.tolerance),
            policy,
        }
    }

    /// Begins anew; of the calls that are under way it learns nothing.
    pub(crate) fn forget(&mut self) {
        let round = self.round + 1;
        let fresh = Self::new(self.policy.clone());
        *self = Self { round, cut: round, in_flight: self.in_flight, ..fresh };
    }

    /// How many calls may be under way.
    pub(crate) fn limit(&self) -> u32 {
        self.limit
    }

    /// How many are: calls that began and have not ended.
    #[cfg(test)]
    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// A call is sent.
    pub(crate) fn began(&mut self, now: Instant) -> Begun {
        self.in_flight = self.in_flight.saturating_add(1);
        // Those of this round were given up, or were no samples.
        if self.begun >= self.members().saturating_add(self.limit.saturating_mul(4)) {
            self.begin_round();
        }
        self.begun += 1;
        Begun { at: now, round: self.round, nth: self.begun - 1 }
    }

    /// Its slot is free again, whatever it came to. On its own it teaches nothing: a call that was given up is no sample.
    pub(crate) fn ended(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// The first event of its answer has come, or the whole of an answer that is not streamed. Once for each call, before it
    /// ends.
    pub(crate) fn answered(&mut self, call: Begun, now: Instant, form: Form) {
        let seconds = now.saturating_duration_since(call.at).as_secs_f64();
        let sample = Sample { form, seconds };
        if !self.in_use() {
            if self.in_flight <= self.limit / 2 {
                self.latency.unloaded(sample);
            }
            return;
        }
        self.quiet = self.quiet.saturating_add(1);
        let members = self.members();
        if call.round < self.round || call.nth >= members {
            return;
        }
        let least = self.limit == self.policy.min;
        let round = Round { members, limit: self.limit, least };
        let Some(finding) = self.latency.add(sample, round) else { return };
        match finding {
            Finding::InTime => self.grow(),
            Finding::Late => self.begin_round(),
            Finding::Queued { keep } => self.shrink(self.limit, keep),
            // Fewer calls at a time made it no faster, so they were not what made it slow.
            Finding::NotOurs { before } => self.set(before),
        }
    }

    /// The provider had no room for it: 429, 503, 529, or silence until a limit of ours passed. Before it ends.
    pub(crate) fn refused(&mut self, call: Begun) {
        // Under way when the limit was last cut: the cut was for it as well.
        if call.round < self.cut {
            return;
        }
        // It counts itself, and all others that are under way may have been let in.
        let tried = if self.in_use() { self.limit.min(self.in_flight) } else { self.limit };
        self.shrink(tried, self.policy.backoff);
    }

    /// Whether so many are under way that the limit is what holds the next one back. Otherwise a quiet hour would say that
    /// any limit is fine.
    fn in_use(&self) -> bool {
        self.in_flight >= self.limit - self.limit / 5
    }

    /// How many calls it takes to judge a limit: as many as the last step has let in, within bounds.
    fn members(&self) -> u32 {
        let least = if self.latency.is_mixed() { ROUND_MIXED } else { ROUND_LEAST };
        let least = least.min(2 * self.limit);
        (self.limit - self.good).clamp(least, ROUND_MOST)
    }

    fn begin_round(&mut self) {
        self.round += 1;
        self.begun = 0;
        self.latency.clear();
    }

    /// The limit has held for a round.
    fn grow(&mut self) {
        self.good = self.limit;
        let next = match self.ceiling {
            Some(ceiling) if self.limit + 1 < ceiling => self.step.min(ceiling - 1 - self.limit),
            Some(ceiling) if self.limit < ceiling => {
                if self.quiet < self.policy.patience {
                    return self.begin_round();
                }
                self.step = 1;
                1
            }
            // It holds where it was too many: the capacity has grown.
            _ => {
                self.ceiling = None;
                self.step = self.step.saturating_mul(3).min(self.limit / 2).max(1);
                self.step
            }
        };
        let good = self.limit;
        self.set(self.limit.saturating_add(next));
        self.good = good;
    }

    /// `tried` was too many. A step that was being tried is taken back; otherwise that share of it is kept.
    fn shrink(&mut self, tried: u32, keep: f64) {
        let next = match self.limit > self.good {
            true => self.good,
            false => (f64::from(tried) * keep) as u32,
        };
        let next = next.min(self.limit - 1).max(self.policy.min);
        self.ceiling = Some(tried.max(next + 1));
        self.step = (tried.saturating_sub(next) / 4).max(1);
        self.quiet = 0;
        self.set(next);
        self.cut = self.round;
    }

    fn set(&mut self, limit: u32) {
        self.limit = limit.clamp(self.policy.min, self.policy.max);
        self.good = self.limit;
        self.begin_round();
    }
}

#[cfg(test)]
mod tests;

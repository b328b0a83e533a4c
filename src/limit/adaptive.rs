//! The adaptive limit: finds how many attempts at a time a provider takes, from the time to the first event and from overload.

mod baseline;
mod latency;
mod policy;

use tokio::time::Instant;

pub(crate) use self::latency::AnswerForm;
use self::latency::{Finding, Latency, Round, Sample};
pub use self::policy::AdaptivePolicy;

/// An adaptive limit and the state it is computed from. Plain state under the lock of its owner.
///
/// The limit is judged in rounds. A round consists of calls that were sent after the last change of the limit, so each change is
/// judged by calls that were affected by it, whether a call takes 300 ms or three minutes. Only calls that were sent while the
/// limit was in use count. A round without delay raises the limit: in steps that treble, up to half of the limit, while no
/// ceiling is known; up to one below the ceiling, where overload or a queue has shown one; and by one above the ceiling, after
/// [`patience`](AdaptivePolicy::patience). Overload reverts the step that caused it, or lowers the limit by a tenth if no step
/// was being tried; once for all calls that were under way by then.
#[derive(Debug)]
pub(crate) struct AdaptiveLimit {
    policy: AdaptivePolicy,
    limit: u32,
    /// The limit that was good before the last step up; the limit itself while no step is being tried.
    last_good: u32,
    /// The size of the last step, or of the next one below a ceiling.
    step: u32,
    /// The smallest number that is known to be too many.
    ceiling: Option<u32>,
    in_flight: u32,
    /// The current round.
    round: u64,
    /// The number of calls that were sent in the current round.
    sent_in_round: u32,
    /// The first round after the limit was last cut.
    first_round_after_cut: u64,
    /// The number of calls without overload since the limit was last cut.
    calls_since_cut: u32,
    latency: Latency,
}

/// A call that is under way, as part of the round in which it was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoundMember {
    sent_at: Instant,
    round: u64,
    /// The number of calls that were sent before it in the round.
    index: u32,
}

/// The fewest calls of a round: the median of fewer is chance.
const MIN_ROUND: u32 = 5;
/// The fewest calls of a round where answers have several lengths: a few may all be long by chance.
const MIN_MIXED_ROUND: u32 = 20;
/// The most calls of a round: more would add little.
const MAX_ROUND: u32 = 25;

// === impl AdaptiveLimit ===

impl AdaptiveLimit {
    /// Creates a limit without any samples, from a policy that was checked.
    pub(crate) fn new(policy: AdaptivePolicy) -> Self {
        let limit = policy.initial;
        Self {
            limit,
            last_good: limit,
            step: (limit / 2).max(1),
            ceiling: None,
            in_flight: 0,
            round: 0,
            sent_in_round: 0,
            first_round_after_cut: 0,
            calls_since_cut: 0,
            latency: Latency::new(policy.tolerance),
            policy,
        }
    }

    /// Starts again. Calls that are under way are not used as samples.
    pub(crate) fn reset(&mut self) {
        let round = self.round + 1;
        let fresh = Self::new(self.policy.clone());
        let in_flight = self.in_flight;
        *self = Self { round, first_round_after_cut: round, in_flight, ..fresh };
    }

    /// Creates a limit where `in_flight` calls are under way that are no samples.
    pub(crate) fn joined(policy: AdaptivePolicy, in_flight: u32) -> Self {
        Self { in_flight, ..Self::new(policy) }
    }

    /// Goes on under another policy, with the limit that was found, as far as that policy allows it.
    pub(crate) fn adopt(&mut self, policy: AdaptivePolicy) {
        self.latency.set_tolerance(policy.tolerance);
        self.policy = policy;
        self.set(self.limit);
    }

    /// The largest number of calls under way.
    pub(crate) fn limit(&self) -> u32 {
        self.limit
    }

    /// The number of calls under way: sent and not ended.
    #[cfg(test)]
    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Records that a call is sent.
    pub(crate) fn on_sent(&mut self, now: Instant) -> RoundMember {
        self.in_flight = self.in_flight.saturating_add(1);
        // The calls of this round were dropped, or were no samples.
        if self.sent_in_round >= self.members().saturating_add(self.limit.saturating_mul(4)) {
            self.begin_round();
        }
        self.sent_in_round += 1;
        RoundMember { sent_at: now, round: self.round, index: self.sent_in_round - 1 }
    }

    /// Records that a call has ended, whatever its outcome. This alone is no sample: the call may have been dropped.
    pub(crate) fn on_end(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Records the first event of an answer, or the whole of an answer that is not streamed. Called once for each call, before it
    /// ends.
    pub(crate) fn on_first_event(&mut self, call: RoundMember, now: Instant, form: AnswerForm) {
        let seconds = now.saturating_duration_since(call.sent_at).as_secs_f64();
        let sample = Sample { form, seconds };
        if !self.in_use() {
            if self.in_flight <= self.limit / 2 {
                self.latency.add_unloaded(sample);
            }
            return;
        }
        self.calls_since_cut = self.calls_since_cut.saturating_add(1);
        let members = self.members();
        if call.round < self.round || call.index >= members {
            return;
        }
        let is_min_limit = self.limit == self.policy.min;
        let round = Round { members, limit: self.limit, is_min_limit };
        let Some(finding) = self.latency.add(sample, round) else { return };
        match finding {
            Finding::InTime => self.grow(),
            Finding::Late => self.begin_round(),
            Finding::Queued { keep } => self.shrink(self.limit, keep),
            // Fewer calls at a time made the answers no faster, so our calls were not the cause.
            Finding::NotOurs { before } => self.set(before),
        }
    }

    /// Records that the provider had no room for a call: 429, 503, 529, or no answer until a timeout. Called before the call
    /// ends.
    pub(crate) fn on_overload(&mut self, call: RoundMember) {
        // The call was under way when the limit was last cut, and that cut already counted it.
        if call.round < self.first_round_after_cut {
            return;
        }
        // The call counts itself, and all others under way may have been let in.
        let tried = if self.in_use() { self.limit.min(self.in_flight) } else { self.limit };
        self.shrink(tried, self.policy.backoff);
    }

    /// Whether the calls under way are near the limit, so that it may hold the next one back. Otherwise any limit would look
    /// right during an idle hour.
    fn in_use(&self) -> bool {
        self.in_flight >= self.limit - self.limit / 5
    }

    /// The number of calls that judge a limit: as many as the last step let in, within bounds.
    fn members(&self) -> u32 {
        let min = if self.latency.is_mixed() { MIN_MIXED_ROUND } else { MIN_ROUND };
        let min = min.min(2 * self.limit);
        (self.limit - self.last_good).clamp(min, MAX_ROUND)
    }

    fn begin_round(&mut self) {
        self.round += 1;
        self.sent_in_round = 0;
        self.latency.clear();
    }

    /// Raises the limit after it has held for a round.
    fn grow(&mut self) {
        self.last_good = self.limit;
        let next = match self.ceiling {
            Some(ceiling) if self.limit + 1 < ceiling => self.step.min(ceiling - 1 - self.limit),
            Some(ceiling) if self.limit < ceiling => {
                if self.calls_since_cut < self.policy.patience {
                    return self.begin_round();
                }
                self.step = 1;
                1
            }
            // The limit holds where it was too high before: the capacity has grown.
            _ => {
                self.ceiling = None;
                self.step = self.step.saturating_mul(3).min(self.limit / 2).max(1);
                self.step
            }
        };
        let last_good = self.limit;
        self.set(self.limit.saturating_add(next));
        self.last_good = last_good;
    }

    /// Lowers the limit because `tried` was too many: to the limit before the current step, or else to the share `keep`.
    fn shrink(&mut self, tried: u32, keep: f64) {
        let next = match self.limit > self.last_good {
            true => self.last_good,
            false => (f64::from(tried) * keep) as u32,
        };
        let next = next.min(self.limit - 1).max(self.policy.min);
        self.ceiling = Some(tried.max(next + 1));
        self.step = (tried.saturating_sub(next) / 4).max(1);
        self.calls_since_cut = 0;
        self.set(next);
        self.first_round_after_cut = self.round;
    }

    fn set(&mut self, limit: u32) {
        self.limit = limit.clamp(self.policy.min, self.policy.max);
        self.last_good = self.limit;
        self.begin_round();
    }
}

#[cfg(test)]
mod tests;

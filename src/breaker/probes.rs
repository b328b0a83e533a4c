//! The probes of a half-open breaker.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    breaker::{
        BreakerPolicy,
        decision_input::{CallerInfo, DecisionInput},
        open_backoff::scaled,
    },
    time::saturating_add,
};

const SLOTS: usize = BreakerPolicy::MAX_PROBES as usize;

/// The number of dropped probes in a row that is no accident: the provider may be the reason that callers leave.
const DROPS: u32 = 3;

/// The probes under way, how many have succeeded, and which callers may be the next one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probes {
    /// The probes under way.
    under_way: [Option<Probe>; SLOTS],
    passed: u32,
    dropped: u32,
    /// The time a caller has to be able to wait: a probe that is dropped early is no evidence and takes the place of another.
    patience: Duration,
    /// Since when no caller with that much time has arrived.
    waiting: Instant,
    since: Instant,
    /// Whether a caller was refused.
    crowded: bool,
}

/// The result of a probe that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProbeResult {
    /// More successes are needed.
    NotYet,
    /// There were enough successes.
    Enough,
    /// There were enough successes, and calls are so rare that none has to be held back.
    Seldom,
}

#[derive(Clone, Copy, Debug)]
struct Probe {
    since: Instant,
    hangs: Instant,
}

/// The slot of a probe under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProbeSlot(u8);

// === impl Probes ===

impl Probes {
    /// Creates an empty set of probes. `usual` is how long an answer usually took before, if known.
    pub(crate) fn new(now: Instant, usual: Option<Duration>) -> Self {
        Self {
            under_way: [None; SLOTS],
            passed: 0,
            dropped: 0,
            patience: usual.map_or(Duration::ZERO, |usual| 2 * usual),
            waiting: now,
            since: now,
            crowded: false,
        }
    }

    /// Takes a slot for one more probe, or returns when to retry: spread over the time of one opening, so that waiting calls do
    /// not all arrive at the moment of recovery.
    pub(crate) fn take(
        &mut self,
        at: DecisionInput<'_>,
        caller: CallerInfo,
    ) -> Result<ProbeSlot, Duration> {
        let slot = self.place(at, caller);
        self.crowded |= slot.is_none();
        slot.ok_or_else(|| soon(*at.policy.open_backoff.start(), at.random))
    }

    fn place(&mut self, at: DecisionInput<'_>, caller: CallerInfo) -> Option<ProbeSlot> {
        let places = self.places(at);
        let free = self.under_way[..places].iter().position(Option::is_none)?;
        if !self.is_patient(at, caller) {
            return None;
        }
        let hangs = saturating_add(at.now, at.policy.effective_probe_timeout());
        self.under_way[free] = Some(Probe { since: at.now, hangs });
        self.waiting = at.now;
        // One of at most eight slots.
        Some(ProbeSlot(free as u8))
    }

    /// Frees a slot.
    pub(crate) fn free(&mut self, slot: ProbeSlot) {
        self.under_way[usize::from(slot.0)] = None;
    }

    /// Frees a slot after a success, and returns whether there were enough successes. One success that took as long as the whole
    /// ramp is enough: it would otherwise take half an hour until enough probes were answered in turn. One is also enough if no
    /// call arrived for as long as the ramp takes before it and none was refused beside it.
    pub(crate) fn pass(
        &mut self,
        slot: ProbeSlot,
        at: DecisionInput<'_>,
        took: Duration,
    ) -> ProbeResult {
        self.free(slot);
        self.dropped = 0;
        self.passed = self.passed.saturating_add(1);
        let long = !at.policy.ramp.is_zero() && took >= at.policy.ramp;
        let begun = at.now.checked_sub(took).unwrap_or(at.now);
        let seldom = !self.crowded
            && !at.policy.ramp.is_zero()
            && saturating_add(self.since, at.policy.ramp) <= begun;
        if seldom {
            ProbeResult::Seldom
        } else if long || self.passed >= at.policy.probe_successes {
            ProbeResult::Enough
        } else {
            ProbeResult::NotYet
        }
    }

    /// Frees the slot of a dropped probe for a caller with more time. Returns whether too many were dropped in a row.
    pub(crate) fn drop_one(
        &mut self,
        slot: ProbeSlot,
        at: DecisionInput<'_>,
        took: Duration,
    ) -> bool {
        self.free(slot);
        self.dropped = self.dropped.saturating_add(1);
        self.patience =
            self.patience.max(took.saturating_mul(2)).min(at.policy.effective_probe_timeout());
        self.waiting = at.now;
        self.dropped >= DROPS
    }

    /// When the first probe under way is or was considered hung.
    pub(crate) fn first_hangs(&self) -> Option<Instant> {
        self.under_way.iter().flatten().map(|probe| probe.hangs).min()
    }

    /// The number of probes under way.
    pub(crate) fn under_way(&self) -> u32 {
        self.under_way.iter().flatten().count() as u32
    }

    /// The number of slots: one more for each longest opening that the oldest probe has been under way, since the breaker would
    /// have probed again by then.
    fn places(&self, at: DecisionInput<'_>) -> usize {
        let oldest = self.under_way.iter().flatten().map(|probe| probe.since).min();
        let age = oldest.map_or(Duration::ZERO, |since| at.now.saturating_duration_since(since));
        let more = age.as_nanos() / at.policy.open_backoff.end().as_nanos().max(1);
        let most = u128::from(at.policy.max_probes).saturating_add(more);
        usize::try_from(most).map_or(SLOTS, |most| most.min(SLOTS))
    }

    /// Whether the caller can wait long enough. The required time is halved for each opening's time without such a caller, so
    /// that there is a probe even if all callers have short deadlines.
    fn is_patient(&mut self, at: DecisionInput<'_>, caller: CallerInfo) -> bool {
        let Some(left) = caller.left(at.now) else { return true };
        while left < self.patience && self.waiting + *at.policy.open_backoff.start() <= at.now {
            self.patience /= 2;
            self.waiting += *at.policy.open_backoff.start();
        }
        left >= self.patience
    }
}

/// A random moment within `span`, but at least 100 ms: a caller that returns at once would spin.
pub(crate) fn soon(span: Duration, random: f64) -> Duration {
    const AT_ONCE: Duration = Duration::from_millis(100);
    scaled(span, random.clamp(0.0, 1.0)).max(AT_ONCE)
}

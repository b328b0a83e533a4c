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

/// So many probes in a row that were dropped are no accident: what makes callers leave may be the provider.
const DROPS: u32 = 3;

/// Which probes are under way, how many have succeeded, and who may be one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probes {
    /// The probes under way.
    under_way: [Option<Probe>; SLOTS],
    passed: u32,
    dropped: u32,
    /// How long a caller has to be able to wait: a probe that leaves early says nothing and takes the place of one that stays.
    patience: Duration,
    /// Since when nobody with that patience has come.
    waiting: Instant,
    since: Instant,
    /// Somebody was turned away.
    crowded: bool,
}

/// What a success of a probe comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProbeResult {
    /// More of them are needed.
    NotYet,
    /// There were enough.
    Enough,
    /// There were enough, and calls come so seldom that none has to be held back.
    Seldom,
}

#[derive(Clone, Copy, Debug)]
struct Probe {
    since: Instant,
    hangs: Instant,
}

/// The place of a probe under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProbeSlot(u8);

// === impl Probes ===

impl Probes {
    /// No probe yet. `usual` is how long an answer took before, where that is known.
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

    /// A place for one more probe, or when it is worth coming back: spread over the time of one opening, so that calls which
    /// wait do not all arrive in the moment in which it recovers.
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
        // One of at most eight places.
        Some(ProbeSlot(free as u8))
    }

    /// Gives a place back.
    pub(crate) fn free(&mut self, slot: ProbeSlot) {
        self.under_way[usize::from(slot.0)] = None;
    }

    /// Gives a place back after a success, and tells whether there have been enough. One that took as long as the recovery
    /// that follows is enough by itself: it would be half an hour until all have answered in turn. So is one for which
    /// nobody came for as long as the recovery takes, and beside which nobody was turned away.
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

    /// Gives the place back of a probe that was dropped after that long, to a caller with more time; tells whether there
    /// were too many of them in a row.
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

    /// When the first probe under way hangs, or did.
    pub(crate) fn first_hangs(&self) -> Option<Instant> {
        self.under_way.iter().flatten().map(|probe| probe.hangs).min()
    }

    /// How many probes are under way.
    pub(crate) fn under_way(&self) -> u32 {
        self.under_way.iter().flatten().count() as u32
    }

    /// How many probes there may be: one more for each longest opening that the oldest has been under way, as by then it
    /// would have been asked again anyway.
    fn places(&self, at: DecisionInput<'_>) -> usize {
        let oldest = self.under_way.iter().flatten().map(|probe| probe.since).min();
        let age = oldest.map_or(Duration::ZERO, |since| at.now.saturating_duration_since(since));
        let more = age.as_nanos() / at.policy.open_backoff.end().as_nanos().max(1);
        let most = u128::from(at.policy.max_probes).saturating_add(more);
        usize::try_from(most).map_or(SLOTS, |most| most.min(SLOTS))
    }

    /// Whether the caller can wait long enough. What is asked for is halved with each opening's time in which nobody could, so
    /// that where all are in a hurry one of them is the probe.
    fn is_patient(&mut self, at: DecisionInput<'_>, caller: CallerInfo) -> bool {
        let Some(left) = caller.left(at.now) else { return true };
        while left < self.patience && self.waiting + *at.policy.open_backoff.start() <= at.now {
            self.patience /= 2;
            self.waiting += *at.policy.open_backoff.start();
        }
        left >= self.patience
    }
}

/// A moment within `span` by chance, but never at once: whoever comes back at once would spin.
pub(crate) fn soon(span: Duration, random: f64) -> Duration {
    const AT_ONCE: Duration = Duration::from_millis(100);
    scaled(span, random.clamp(0.0, 1.0)).max(AT_ONCE)
}

//! The switch: off unless it is switched on, and off again by itself.

#[cfg(test)]
mod tests;

use std::{fmt, future::Future, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{period::Period, reports::Reports};
use crate::{
    ConfigError,
    telemetry::{EventKind, FaultKind},
    time::saturating_add,
};

/// Switches chaos on and off. A handle: clones are the same switch.
///
/// It is off when it is made, and after [`for_at_most`](Self::for_at_most) it switches itself off. Switching it off acts at once,
/// also on attempts that hang and on bodies that stall: they go on as if there had been no fault.
///
/// # Defaults
///
/// * off
/// * on for at most an hour
#[derive(Clone)]
pub struct ChaosSwitch(Arc<Shared>);

struct Shared {
    limit: Duration,
    state: watch::Sender<State>,
    reports: Reports,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// How often it was switched on.
    periods: u64,
    /// Since it was switched on; also after its end, until it is switched off.
    period: Option<Period>,
}

// === impl ChaosSwitch ===

impl ChaosSwitch {
    /// The longest time for which it can be on: 24 hours.
    pub const LONGEST: Duration = Duration::from_secs(24 * 3600);

    /// A switch that is off. Once on, it is on for at most an hour.
    pub fn new() -> Self {
        Self::for_at_most(Duration::from_secs(3600))
    }

    /// A switch that is off. Once on, it is on for at most that long: up to [`LONGEST`](Self::LONGEST).
    pub fn for_at_most(limit: Duration) -> Self {
        let (state, reports) = (watch::Sender::new(State::default()), Reports::default());
        Self(Arc::new(Shared { limit, state, reports }))
    }

    /// Switches chaos on. If it is on, its time begins again, and so do its counts and its seed.
    pub fn on(&self) {
        let since = Instant::now();
        let until = saturating_add(since, self.0.limit);
        self.0.reports.reset();
        self.0.state.send_modify(|state| {
            state.periods += 1;
            state.period = Some(Period { number: state.periods, since, until });
        });
    }

    /// Switches chaos off, at once.
    pub fn off(&self) {
        self.0.state.send_modify(|state| state.period = None);
    }

    /// Whether chaos is on.
    pub fn is_on(&self) -> bool {
        self.period(Instant::now()).is_some()
    }

    /// The time until it switches itself off; `None` while it is off.
    pub fn ends_in(&self) -> Option<Duration> {
        let now = Instant::now();
        self.period(now).map(|period| period.until.saturating_duration_since(now))
    }

    /// The number of faults injected since it was switched on last.
    pub fn injected(&self) -> u64 {
        self.injected_by_kind().iter().map(|(_, count)| count).sum()
    }

    /// The kinds of faults injected since it was switched on last, each with its count.
    pub fn injected_by_kind(&self) -> Vec<(FaultKind, u64)> {
        self.0.reports.counts()
    }

    /// The period of that time, if chaos is on.
    pub(super) fn period(&self, now: Instant) -> Option<Period> {
        self.0.state.borrow().period.filter(|period| now < period.until)
    }

    /// What is to be reported at `now`.
    pub(super) fn report(&self, now: Instant) -> Option<EventKind> {
        self.0.reports.due(self.period(now), now, |ended| self.has_expired(ended))
    }

    /// Counts a fault.
    pub(super) fn count(&self, kind: FaultKind) {
        self.0.reports.count(kind);
    }

    /// Whether that period was ended by its time, and not by a person.
    fn has_expired(&self, period: Period) -> bool {
        self.0.state.borrow().period == Some(period)
    }

    /// Resolves when that period has ended.
    pub(super) fn ended(&self, period: Period) -> impl Future<Output = ()> + Send + Sync + use<> {
        let mut state = self.0.state.subscribe();
        async move {
            loop {
                let current = state.borrow_and_update().period;
                if current != Some(period) {
                    return;
                }
                tokio::select! {
                    changed = state.changed() => if changed.is_err() { return },
                    () = sleep_until(period.until) => return,
                }
            }
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let (limit, longest) = (self.0.limit, Self::LONGEST);
        if limit < Duration::from_secs(1) || limit > longest {
            let allowed = format!("from 1s to {} hours", longest.as_secs() / 3600);
            return Err(ConfigError::new("chaos.for_at_most", limit, allowed));
        }
        Ok(())
    }
}

impl Default for ChaosSwitch {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ChaosSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChaosSwitch({})", if self.is_on() { "on" } else { "off" })
    }
}

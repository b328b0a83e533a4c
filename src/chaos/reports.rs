//! What has been injected, and when that was reported last.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::period::Period;
use crate::{
    sync::lock_std,
    telemetry::{EventKind, FaultKind, LOG_INTERVAL},
};

/// The counts of one switch, and its last report.
#[derive(Debug, Default)]
pub(super) struct Reports {
    counts: [AtomicU64; FaultKind::ALL.len()],
    last: Mutex<Option<LastReport>>,
    /// Whether the end of a period is still to be reported.
    open: AtomicBool,
}

#[derive(Clone, Copy, Debug)]
struct LastReport {
    period: Period,
    at: Instant,
}

// === impl Reports ===

impl Reports {
    pub(super) fn count(&self, kind: FaultKind) {
        self.counts[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn reset(&self) {
        self.counts.iter().for_each(|count| count.store(0, Ordering::Relaxed));
    }

    /// The kinds that were injected, each with its count.
    pub(super) fn counts(&self) -> Vec<(FaultKind, u64)> {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        FaultKind::ALL.iter().copied().zip(counts).filter(|(_, count)| *count > 0).collect()
    }

    /// What is to be reported at `now`: that chaos is on, at its begin and then once a minute; that it has ended.
    /// `expired` tells whether a period was ended by its time.
    pub(super) fn due(
        &self,
        period: Option<Period>,
        now: Instant,
        expired: impl FnOnce(Period) -> bool,
    ) -> Option<EventKind> {
        // An attempt costs no lock while chaos is off.
        if period.is_none() && !self.open.load(Ordering::Relaxed) {
            return None;
        }
        let mut last = lock_std(&self.last);
        let previous = *last;
        let of_this = |last: &LastReport| Some(last.period) == period;
        let recent = |last: &LastReport| now.saturating_duration_since(last.at) < LOG_INTERVAL;
        if previous.is_some_and(|last| of_this(&last) && recent(&last)) {
            return None;
        }
        *last = period.map(|period| LastReport { period, at: now });
        self.open.store(last.is_some(), Ordering::Relaxed);
        drop(last);
        let injected = self.counts().into();
        match period {
            Some(Period { until, .. }) => {
                let ends_in: Duration = until.saturating_duration_since(now);
                Some(EventKind::ChaosOn { injected, ends_in })
            }
            None => {
                let expired = expired(previous?.period);
                Some(EventKind::ChaosOff { injected, expired })
            }
        }
    }
}

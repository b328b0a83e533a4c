//! Faults that are injected on purpose, in `tracing`: that chaos is on is a warning.

use std::fmt;

use tracing::{debug, info, warn};

use super::{
    EventKind,
    log_steps::secs,
    spans::{self, int},
};
use crate::fault_kind::FaultKind;

/// The kinds of faults with their counts: `reset 12, hang 3`.
struct Counts<'a>(&'a [(FaultKind, u64)]);

/// Records an event of chaos.
pub(super) fn record(event: &EventKind) {
    match event {
        EventKind::ChaosOn { injected, ends_in } => {
            let (faults, total) = (Counts(injected), total(injected));
            warn!(name: "evenkeel.chaos_on", target: "evenkeel", injected = total, %faults, ends_in_s = secs(*ends_in), "chaos is on: attempts fail on purpose");
        }
        EventKind::FaultInjected { route, fault } => {
            spans::injected(*fault);
            debug!(name: "evenkeel.fault_injected", target: "evenkeel", %route, %fault, "fault_injected");
        }
        EventKind::ChaosOff { injected, expired } => {
            let (faults, total) = (Counts(injected), total(injected));
            info!(name: "evenkeel.chaos_off", target: "evenkeel", injected = total, %faults, expired, "chaos is off");
        }
        _ => {}
    }
}

fn total(injected: &[(FaultKind, u64)]) -> i64 {
    int(injected.iter().map(|(_, count)| count).sum())
}

// === impl Counts ===

impl fmt::Display for Counts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        for (fault, count) in self.0 {
            write!(f, "{comma}{fault} {count}")?;
            comma = ", ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_are_told_in_one_line() {
        let counts = [(FaultKind::Reset, 12), (FaultKind::RateLimited, 3)];
        assert_eq!(Counts(&counts).to_string(), "reset 12, rate_limited 3");
        assert_eq!((Counts(&[]).to_string(), total(&counts)), (String::new(), 15));
    }
}

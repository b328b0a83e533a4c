//! The probes that check, during a long wait, whether a route is still limited.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    context::{FIRST_PROBE, LONGEST_WAIT},
    time::saturating_add,
};

/// The probes of a route that is closed: one at a time, with a growing gap between them. A probe that the provider lets in ends
/// the wait.
#[derive(Debug)]
pub(super) struct CooldownProbes {
    /// The time from one probe to the next.
    gap: Duration,
    /// The time at which the next probe may be sent; `None` while the route is not closed.
    next_at: Option<Instant>,
    /// The number of the attempt that is the probe.
    in_flight: Option<u64>,
}

// === impl CooldownProbes ===

impl CooldownProbes {
    pub(super) fn new() -> Self {
        Self { gap: FIRST_PROBE, next_at: None, in_flight: None }
    }

    /// Starts the probes when the route is closed, or closed again. A planned probe stays planned.
    pub(super) fn begin(&mut self, now: Instant) {
        self.next_at.get_or_insert(saturating_add(now, self.gap));
    }

    /// Stops the probes when the route opens because its time has passed. The gap is kept until the provider lets an attempt in.
    pub(super) fn pause(&mut self) {
        (self.next_at, self.in_flight) = (None, None);
    }

    /// The time at which the next probe may be sent.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.next_at
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.next_at.is_some_and(|next_at| next_at <= now)
    }

    /// Records that an attempt is sent as the probe.
    pub(super) fn on_sent(&mut self, number: u64, now: Instant) {
        self.gap = self.gap.saturating_mul(2).min(LONGEST_WAIT);
        (self.next_at, self.in_flight) = (Some(saturating_add(now, self.gap)), Some(number));
    }

    /// Records that an attempt has a result. Returns whether it was the probe.
    pub(super) fn on_result(&mut self, number: u64) -> bool {
        self.in_flight.take_if(|probe| *probe == number).is_some()
    }

    /// Records that an attempt has ended. A probe that ends without a result is no evidence: the next call is a probe.
    pub(super) fn on_end(&mut self, number: u64, now: Instant) {
        if self.on_result(number) && self.next_at.is_some() {
            self.gap = (self.gap / 2).max(FIRST_PROBE);
            self.next_at = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn probes_go_after_a_minute_and_then_with_doubled_gaps_up_to_ten_minutes() {
        let start = Instant::now();
        let mut probes = CooldownProbes::new();
        assert!(!probes.is_due(start), "the route is not closed");
        probes.begin(start);
        let mut gone = Vec::new();
        for number in 0..6 {
            let next = probes.next_at().unwrap();
            assert!(probes.is_due(next) && !probes.is_due(next - MINUTE / 60));
            gone.push((next - start).as_secs() / 60);
            probes.on_sent(number, next);
            assert!(probes.on_result(number) && !probes.on_result(number));
            // The provider asks again for a day.
            probes.begin(next);
        }
        assert_eq!(gone, [1, 3, 7, 15, 25, 35]);
    }

    #[test]
    fn after_a_probe_without_a_result_the_next_call_is_a_probe() {
        let start = Instant::now();
        let mut probes = CooldownProbes::new();
        probes.begin(start);
        probes.on_sent(7, start + MINUTE);
        probes.on_end(6, start + MINUTE);
        assert!(!probes.is_due(start + MINUTE), "another attempt");
        probes.on_end(7, start + MINUTE);
        assert!(probes.is_due(start + MINUTE));
        probes.on_sent(8, start + MINUTE);
        assert_eq!(probes.next_at(), Some(start + 3 * MINUTE));
    }
}

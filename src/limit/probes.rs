//! Who finds out whether a route still has to be left alone, during a long wait.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    context::{FIRST_PROBE, LONGEST_WAIT},
    time::saturating_add,
};

/// The probes of a route that is closed: one at a time, with a growing gap between them. A probe that is answered ends the
/// wait.
#[derive(Debug)]
pub(super) struct Probes {
    /// From one probe to the next.
    gap: Duration,
    /// When the next one may go; `None` while the route is not closed.
    next: Option<Instant>,
    /// The number of the attempt that is the probe.
    under_way: Option<u64>,
}

// === impl Probes ===

impl Probes {
    pub(super) fn new() -> Self {
        Self { gap: FIRST_PROBE, next: None, under_way: None }
    }

    /// The route is closed, or closed again. A probe that was planned stays planned.
    pub(super) fn begin(&mut self, now: Instant) {
        self.next.get_or_insert(saturating_add(now, self.gap));
    }

    /// The route is open again, as its time has passed. The gap stays as it is until an attempt is answered.
    pub(super) fn pause(&mut self) {
        (self.next, self.under_way) = (None, None);
    }

    /// When the next probe may go.
    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.next.is_some_and(|next| next <= now)
    }

    /// The attempt with that number is sent as the probe.
    pub(super) fn sent(&mut self, nth: u64, now: Instant) {
        self.gap = self.gap.saturating_mul(2).min(LONGEST_WAIT);
        (self.next, self.under_way) = (Some(saturating_add(now, self.gap)), Some(nth));
    }

    /// Whether the attempt with that number is the probe: it is decided now.
    pub(super) fn decide(&mut self, nth: u64) -> bool {
        self.under_way.take_if(|probe| *probe == nth).is_some()
    }

    /// An attempt ended. If it was the probe and was not decided, it says nothing: the next call is a probe.
    pub(super) fn ended(&mut self, nth: u64, now: Instant) {
        if self.decide(nth) && self.next.is_some() {
            self.gap = (self.gap / 2).max(FIRST_PROBE);
            self.next = Some(now);
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
        let mut probes = Probes::new();
        assert!(!probes.is_due(start), "the route is not closed");
        probes.begin(start);
        let mut gone = Vec::new();
        for nth in 0..6 {
            let next = probes.next().unwrap();
            assert!(probes.is_due(next) && !probes.is_due(next - MINUTE / 60));
            gone.push((next - start).as_secs() / 60);
            probes.sent(nth, next);
            assert!(probes.decide(nth) && !probes.decide(nth));
            // The provider asks for a day, once more.
            probes.begin(next);
        }
        assert_eq!(gone, [1, 3, 7, 15, 25, 35]);
    }

    #[test]
    fn a_probe_that_came_to_nothing_hands_its_place_back() {
        let start = Instant::now();
        let mut probes = Probes::new();
        probes.begin(start);
        probes.sent(7, start + MINUTE);
        probes.ended(6, start + MINUTE);
        assert!(!probes.is_due(start + MINUTE), "another attempt");
        probes.ended(7, start + MINUTE);
        assert!(probes.is_due(start + MINUTE));
        probes.sent(8, start + MINUTE);
        assert_eq!(probes.next(), Some(start + 3 * MINUTE));
    }
}

//! A route that is left alone, because its provider said so, and how it is opened again.

use std::time::Duration;

use tokio::time::Instant;

use super::{doubt::Doubt, policy::LimitPolicy, probes::Probes};
use crate::{context::LONGEST_WAIT, time::saturating_add};

/// Until when a route is closed, and how those that waited for it go out: one after the other, not all at once.
#[derive(Debug)]
pub(super) struct Cooldown {
    pause: Option<Duration>,
    /// Rate limits without a wait, in a row.
    in_a_row: u32,
    closed: Option<Closed>,
    ramp: Option<Ramp>,
    /// When it was closed last.
    since: Option<Instant>,
    /// The calls that find out during a long wait.
    probes: Probes,
    doubt: Doubt,
}

#[derive(Clone, Copy, Debug)]
struct Closed {
    until: Instant,
    wait: Duration,
}

/// The gaps between those that waited.
#[derive(Clone, Copy, Debug)]
struct Ramp {
    gap: Duration,
    next: Instant,
    left: usize,
}

/// Those that waited go out within this time, or within the wait itself where that is shorter.
const SPREAD: Duration = Duration::from_secs(5);

// === impl Cooldown ===

impl Cooldown {
    pub(super) fn new(pause: Option<Duration>) -> Self {
        let (probes, doubt) = (Probes::new(), Doubt::default());
        Self { pause, in_a_row: 0, closed: None, ramp: None, since: None, probes, doubt }
    }

    /// The pause after a rate limit that names no wait. An attempt that was under way when the last pause began says nothing
    /// new.
    pub(super) fn pause(&mut self, sent: Instant) -> Option<Duration> {
        if self.since.is_some_and(|since| sent < since) {
            return None;
        }
        let pause = self.pause?.saturating_mul(1 << self.in_a_row.min(16));
        self.in_a_row = self.in_a_row.saturating_add(1);
        Some(pause.min(LimitPolicy::LONGEST_PAUSE))
    }

    /// Whether all are to wait for as long as an attempt was told that was sent then.
    pub(super) fn concerns_all(&mut self, sent: Instant, wait: Duration) -> bool {
        self.doubt.limited(sent, wait)
    }

    /// The attempt with that number, sent then, was answered. Tells whether the route is open by that: it was a probe, or
    /// the wait was not everybody's.
    pub(super) fn answered(&mut self, nth: u64, sent: Instant) -> bool {
        self.in_a_row = 0;
        let wrong = self.doubt.answered(sent) && self.closed.is_some();
        let found = self.probes.decide(nth) || wrong;
        if found || self.closed.is_none() {
            (self.closed, self.probes) = (None, Probes::new());
        }
        found
    }

    /// The attempt with that number was not answered.
    pub(super) fn failed(&mut self, nth: u64) {
        self.probes.decide(nth);
    }

    /// The attempt with that number has ended, whatever it came to.
    pub(super) fn ended(&mut self, nth: u64, now: Instant) {
        self.probes.ended(nth, now);
    }

    /// Whether a call may go as the probe.
    pub(super) fn is_probe_due(&self, now: Instant) -> bool {
        self.is_closed(now) && self.probes.is_due(now)
    }

    /// The attempt with that number is sent; as the probe, where one is due.
    pub(super) fn sent(&mut self, nth: u64, now: Instant) {
        if self.is_probe_due(now) {
            self.probes.sent(nth, now);
        }
    }

    /// Closes for so long, at most [`LONGEST_WAIT`]; until when, where that is later than before.
    pub(super) fn close(&mut self, wait: Duration, now: Instant) -> Option<Instant> {
        let wait = wait.min(LONGEST_WAIT);
        let until = saturating_add(now, wait);
        self.probes.begin(now);
        // The same wait, told again by another answer, is not told by us.
        let told = self.closed.is_some_and(|closed| until <= saturating_add(closed.until, TWICE));
        if self.closed.is_none_or(|closed| closed.until < until) {
            self.closed = Some(Closed { until, wait });
        }
        (self.since, self.ramp) = (Some(now), None);
        (!told).then_some(until)
    }

    /// Opens when the time has come. Those that wait then get gaps between them; the first one too is a little late, by
    /// chance, as all processes that were told the same moment would else come back at it. (A retry that waited elsewhere
    /// had a jitter of its own.)
    pub(super) fn reopen(&mut self, now: Instant, waiting: usize, random: f64) {
        if let Some(Closed { wait, .. }) = self.closed.take_if(|closed| closed.until <= now) {
            self.probes.pause();
            let gap = wait.min(SPREAD) / (waiting.max(1) as u32);
            let next = saturating_add(now, (wait / 10).min(Duration::from_secs(1)).mul_f64(random));
            self.ramp = (waiting > 0).then_some(Ramp { gap, next, left: waiting });
        }
    }

    /// One of those that waited has gone.
    pub(super) fn passed(&mut self, now: Instant, random: f64) {
        if let Some(ramp) = &mut self.ramp {
            ramp.left = ramp.left.saturating_sub(1);
            ramp.next = saturating_add(now, ramp.gap.mul_f64(0.5 + random));
        }
        if self.ramp.is_some_and(|ramp| ramp.left == 0) {
            self.ramp = None;
        }
    }

    /// Nobody waits any more.
    pub(super) fn done(&mut self) {
        self.ramp = None;
    }

    /// How long it is until all may go again, one after the other.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        let ramp = self.ramp.map_or(now, |ramp| ramp.next);
        self.closed_for(now).max(ramp.saturating_duration_since(now))
    }

    /// How long it is until the next one may go, as a probe or like all others.
    pub(super) fn next(&self, now: Instant) -> Duration {
        let probe = self.probes.next().filter(|_| self.is_closed(now));
        let probe = probe.map(|next| next.saturating_duration_since(now));
        self.wait(now).min(probe.unwrap_or(Duration::MAX))
    }

    fn is_closed(&self, now: Instant) -> bool {
        self.closed.is_some_and(|closed| closed.until > now)
    }

    /// How long it is still closed.
    pub(super) fn closed_for(&self, now: Instant) -> Duration {
        self.closed.map_or(Duration::ZERO, |closed| closed.until.saturating_duration_since(now))
    }

    /// What the gaps add for a call with so many ahead of it, of those that wait.
    pub(super) fn spread(&self, ahead: f64, waiting: usize) -> Duration {
        let whole = match (self.closed, self.ramp) {
            (Some(Closed { wait, .. }), _) => wait.min(SPREAD),
            (None, Some(ramp)) => ramp.gap.saturating_mul(ramp.left as u32),
            (None, None) => return Duration::ZERO,
        };
        whole.mul_f64((ahead / (waiting as f64 + 1.0)).clamp(0.0, 1.0))
    }
}

/// Two answers of one moment come a little apart.
const TWICE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn closing() -> Cooldown {
        Cooldown::new(Some(SECOND / 2))
    }

    #[test]
    fn a_wait_closes_and_a_shorter_one_does_not_open() {
        let now = Instant::now();
        let mut closing = closing();
        assert_eq!(closing.close(20 * SECOND, now), Some(now + 20 * SECOND));
        assert_eq!(closing.close(5 * SECOND, now + SECOND), None);
        assert_eq!(closing.wait(now + SECOND), 19 * SECOND);
        assert!(closing.close(60 * SECOND, now + SECOND).is_some());
        closing.reopen(now + 61 * SECOND, 0, 0.5);
        assert_eq!(closing.wait(now + 61 * SECOND), Duration::ZERO);
    }

    #[test]
    fn pauses_grow_in_a_row_and_start_anew_after_an_answer() {
        let now = Instant::now();
        let mut closing = closing();
        let pauses: Vec<_> = (0..8).filter_map(|_| closing.pause(now)).collect();
        assert_eq!(pauses[..3], [SECOND / 2, SECOND, 2 * SECOND]);
        assert_eq!(pauses[7], LimitPolicy::LONGEST_PAUSE);
        closing.answered(1, now);
        assert_eq!(closing.pause(now), Some(SECOND / 2));
    }

    #[test]
    fn what_was_sent_before_the_pause_does_not_make_it_longer() {
        let now = Instant::now();
        let mut closing = closing();
        closing.close(SECOND, now + SECOND);
        assert_eq!(closing.pause(now), None);
        assert!(closing.pause(now + 2 * SECOND).is_some());
    }

    #[test]
    fn a_wait_of_a_day_ends_after_ten_minutes_or_with_a_probe_that_is_answered() {
        let now = Instant::now();
        let mut closing = closing();
        closing.close(86_400 * SECOND, now);
        assert_eq!((closing.wait(now), closing.next(now)), (600 * SECOND, 60 * SECOND));
        let probed = now + 60 * SECOND;
        assert!(closing.is_probe_due(probed) && !closing.is_probe_due(probed - SECOND));
        closing.sent(1, probed);
        assert_eq!(closing.next(probed), 120 * SECOND);
        assert!(!closing.answered(2, probed) && closing.answered(1, probed));
        assert_eq!(closing.next(probed), Duration::ZERO);
    }

    #[test]
    fn those_that_waited_go_out_one_after_the_other() {
        let mut now = Instant::now();
        let start = now;
        let mut closing = closing();
        closing.close(10 * SECOND, now);
        now += 10 * SECOND;
        closing.reopen(now, 50, 0.5);
        assert_eq!(closing.wait(now), SECOND / 2);
        let mut gone = Vec::new();
        for n in 0..50 {
            now += closing.wait(now);
            gone.push(now - start);
            closing.passed(now, f64::from(n % 10) / 10.0);
        }
        assert!(gone.windows(2).all(|two| two[1] - two[0] >= SECOND / 20), "{gone:?}");
        assert!(gone[49] <= 16 * SECOND, "{:?}", gone[49]);
        assert_eq!(closing.wait(now), Duration::ZERO);
    }
}

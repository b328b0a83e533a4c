//! The cool-down of a route after a rate limit, and how the route is opened again.

mod probes;
mod wait_scope;

use std::time::Duration;

use tokio::time::Instant;

use self::{probes::CooldownProbes, wait_scope::WaitScope};
use super::policy::LimitPolicy;
use crate::{context::LONGEST_WAIT, time::saturating_add};

/// The time for which a route is closed, and the staggered release of the calls that waited for it.
#[derive(Debug)]
pub(super) struct Cooldown {
    /// The wait after a rate limit that names none.
    default_wait: Option<Duration>,
    /// Rate limits in a row that named no wait.
    without_hint_in_a_row: u32,
    closed: Option<Closed>,
    release: Option<StaggeredRelease>,
    /// The time at which the route was closed last.
    last_closed_at: Option<Instant>,
    /// The probes that check during a long wait whether the route is still limited.
    probes: CooldownProbes,
    wait_scope: WaitScope,
}

#[derive(Clone, Copy, Debug)]
struct Closed {
    until: Instant,
    wait: Duration,
}

/// The gaps between the calls that waited.
#[derive(Clone, Copy, Debug)]
struct StaggeredRelease {
    gap: Duration,
    next_at: Instant,
    remaining_calls: usize,
}

/// The calls that waited are sent within this time, or within the wait itself if that is shorter.
const MAX_RELEASE: Duration = Duration::from_secs(5);
/// A cool-down that ends later than the last one by no more than this is the same one: two answers given at the same time arrive
/// slightly apart.
const SAME_COOLDOWN: Duration = Duration::from_millis(100);

// === impl Cooldown ===

impl Cooldown {
    pub(super) fn new(default_wait: Option<Duration>) -> Self {
        Self {
            default_wait,
            without_hint_in_a_row: 0,
            closed: None,
            release: None,
            last_closed_at: None,
            probes: CooldownProbes::new(),
            wait_scope: WaitScope::default(),
        }
    }

    /// Sets the wait after a rate limit that names none.
    pub(super) fn set_default_wait(&mut self, wait: Option<Duration>) {
        self.default_wait = wait;
    }

    /// The wait after a rate limit that names none, for an attempt that was sent at `sent_at`. `None` if no wait is configured,
    /// or if the attempt was sent before the last cool-down began and is no new evidence.
    pub(super) fn wait_without_hint(&mut self, sent_at: Instant) -> Option<Duration> {
        if self.last_closed_at.is_some_and(|closed_at| sent_at < closed_at) {
            return None;
        }
        let wait = self.default_wait?.saturating_mul(1 << self.without_hint_in_a_row.min(16));
        self.without_hint_in_a_row = self.without_hint_in_a_row.saturating_add(1);
        Some(wait.min(LimitPolicy::MAX_COOLDOWN_WITHOUT_HINT))
    }

    /// Records that an attempt was limited for `wait`. Returns whether that concerns the whole route.
    pub(super) fn concerns_route(&mut self, sent_at: Instant, wait: Duration) -> bool {
        self.wait_scope.on_limited(sent_at, wait)
    }

    /// Records that the provider has let an attempt in. Returns whether that opens the route: the attempt was a probe, or the
    /// wait did not concern the whole route.
    pub(super) fn on_let_in(&mut self, number: u64, sent_at: Instant) -> bool {
        self.without_hint_in_a_row = 0;
        let is_refuted = self.wait_scope.on_let_in(sent_at) && self.closed.is_some();
        let opens = self.probes.on_result(number) || is_refuted;
        if opens || self.closed.is_none() {
            (self.closed, self.probes) = (None, CooldownProbes::new());
        }
        opens
    }

    /// Records that the provider has not let an attempt in.
    pub(super) fn on_failed(&mut self, number: u64) {
        self.probes.on_result(number);
    }

    /// Records the end of an attempt, with a result or without one.
    pub(super) fn on_end(&mut self, number: u64, now: Instant) {
        self.probes.on_end(number, now);
    }

    /// Whether a call may be sent as a probe.
    pub(super) fn is_probe_due(&self, now: Instant) -> bool {
        self.is_closed(now) && self.probes.is_due(now)
    }

    /// Records that an attempt is sent; as a probe if one is due.
    pub(super) fn on_sent(&mut self, number: u64, now: Instant) {
        if self.is_probe_due(now) {
            self.probes.on_sent(number, now);
        }
    }

    /// Closes the route for `wait`, at most [`LONGEST_WAIT`]. Returns until when, if that is later than before.
    pub(super) fn close(&mut self, wait: Duration, now: Instant) -> Option<Instant> {
        let wait = wait.min(LONGEST_WAIT);
        let until = saturating_add(now, wait);
        self.probes.begin(now);
        let is_known = |closed: Closed| until <= saturating_add(closed.until, SAME_COOLDOWN);
        let is_known = self.closed.is_some_and(is_known);
        if self.closed.is_none_or(|closed| closed.until < until) {
            self.closed = Some(Closed { until, wait });
        }
        (self.last_closed_at, self.release) = (Some(now), None);
        (!is_known).then_some(until)
    }

    /// Opens the route when its time has passed. The `waiting` calls are then sent with gaps between them. The first one gets a
    /// small random delay as well: all processes that wait for the same time would otherwise return together. (A retry that
    /// waited elsewhere had its own jitter.)
    pub(super) fn expire(&mut self, now: Instant, waiting: usize, random: f64) {
        let Some(Closed { wait, .. }) = self.closed.take_if(|closed| closed.until <= now) else {
            return;
        };
        self.probes.pause();
        let gap = wait.min(MAX_RELEASE) / (waiting.max(1) as u32);
        let jitter = (wait / 10).min(Duration::from_secs(1)).mul_f64(random);
        let next_at = saturating_add(now, jitter);
        let release = StaggeredRelease { gap, next_at, remaining_calls: waiting };
        self.release = (waiting > 0).then_some(release);
    }

    /// Records that one of the calls that waited is sent.
    pub(super) fn on_released(&mut self, now: Instant, random: f64) {
        if let Some(release) = &mut self.release {
            release.remaining_calls = release.remaining_calls.saturating_sub(1);
            release.next_at = saturating_add(now, release.gap.mul_f64(0.5 + random));
        }
        self.release.take_if(|release| release.remaining_calls == 0);
    }

    /// Ends the staggered release: no call waits any more.
    pub(super) fn on_queue_empty(&mut self) {
        self.release = None;
    }

    /// The time until all calls may be sent again, one after the other.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        let next_at = self.release.map_or(now, |release| release.next_at);
        self.closed_for(now).max(next_at.saturating_duration_since(now))
    }

    /// The time until the next call may be sent, as a probe or normally.
    pub(super) fn wait_for_next(&self, now: Instant) -> Duration {
        let probe_at = self.probes.next_at().filter(|_| self.is_closed(now));
        let probe = probe_at.map(|probe_at| probe_at.saturating_duration_since(now));
        let wait = self.wait(now);
        probe.map_or(wait, |probe| probe.min(wait))
    }

    /// The time for which the route is still closed.
    pub(super) fn closed_for(&self, now: Instant) -> Duration {
        self.closed.map_or(Duration::ZERO, |closed| closed.until.saturating_duration_since(now))
    }

    /// The wait that the gaps add for a call with `ahead` of the `waiting` calls before it.
    pub(super) fn release_delay(&self, ahead: f64, waiting: usize) -> Duration {
        let whole = match (self.closed, self.release) {
            (Some(Closed { wait, .. }), _) => wait.min(MAX_RELEASE),
            (None, Some(release)) => release.gap.saturating_mul(release.remaining_calls as u32),
            (None, None) => return Duration::ZERO,
        };
        whole.mul_f64((ahead / (waiting as f64 + 1.0)).clamp(0.0, 1.0))
    }

    fn is_closed(&self, now: Instant) -> bool {
        self.closed.is_some_and(|closed| closed.until > now)
    }
}

#[cfg(test)]
mod tests;

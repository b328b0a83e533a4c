//! The configuration of a breaker.

mod check;
mod derived;
mod rule;

use std::{ops::RangeInclusive, time::Duration};

pub(super) use rule::Rule;

use crate::{
    context::{FIRST_PROBE, LONGEST_WAIT},
    time::AnswerTimes,
};

/// The rules by which a breaker opens, how long it stays open, and how it recovers.
///
/// # Defaults
///
/// The defaults adapt to the call rate: each rule opens only where the counts are improbable (below [`CHANCE`](Self::CHANCE))
/// under a share of failures that would still serve most calls. An explicit rule applies literally, at any rate.
///
/// | what | default | why |
/// |---|---|---|
/// | [`consecutive_failures`](Self::consecutive_failures) | 5 failed attempts in a row where failures begin with them; up to about 20, depending on the share of failures since failures began; of at least 3 calls, over [`min_span`](Self::min_span) | at a route that fails one attempt in three anyway, five in a row mean nothing |
/// | [`failure_ratio`](Self::failure_ratio) | 0.5 of the calls: 5 of 5, 8 of 10, 18 of 30, 31 of 61 | below it, most calls are still served; of few calls more have to fail to rule out chance |
/// | [`min_span`](Self::min_span) | 1 s | a connection that is lost with fifty calls on it is one event |
/// | [`slow_ratio`](Self::slow_ratio) | 0.8 | slowness varies in waves; failures need no such margin |
/// | [`slow_after`](Self::slow_after) | four fifths of the attempt's limit, and three times the usual latency; only calls that have another target count | what is usual for a model is not slow, and a slow answer is better than none |
/// | [`min_calls`](Self::min_calls) | 10 calls, or 5 that all failed | a share of fewer calls means little |
/// | [`window`](Self::window) | 30 s | long enough for ten calls of a small bot, short enough to forget |
/// | [`open_backoff`](Self::open_backoff) | 5 s to 30 s | the primary is tried again within 30 s of its recovery |
/// | [`jitter`](Self::jitter) | 0.2 | processes that opened together do not probe together |
/// | [`max_hint`](Self::max_hint) | 10 min, with probes after 1, 3 and 7 min | a longer wait is more often a mistake than intended |
/// | [`quota_backoff`](Self::quota_backoff) | 1 min to 10 min | a quota is not refilled within seconds, and a probe costs nothing |
/// | [`unauthorized`](Self::unauthorized) | 2 rejections of the credential in a row, more where rejected calls are mixed with answered ones, for 5 s to 60 s; only for calls that have another target | one can be a glitch, and some concern one request and not the key; a key can be fixed at any moment |
/// | [`max_probes`](Self::max_probes) | 1 | a failing provider gets one call, not all |
/// | [`probe_successes`](Self::probe_successes) | 2 | one can be chance |
/// | [`probe_timeout`](Self::probe_timeout) | the longest limit of an attempt: 20 s on its own | after it the probe is considered hung |
/// | [`ramp`](Self::ramp) | 20 s from 0.1 | caches and autoscalers of a provider fill in that time |
#[derive(Clone, Debug, PartialEq)]
pub struct BreakerPolicy {
    pub(super) consecutive_failures: Option<Rule<u32>>,
    pub(super) failure_ratio: Option<Rule<f64>>,
    pub(super) min_span: Duration,
    pub(super) slow_ratio: Option<f64>,
    pub(super) slow_after: Option<AnswerTimes>,
    pub(super) min_calls: u32,
    pub(super) window: Duration,
    pub(super) open_backoff: RangeInclusive<Duration>,
    pub(super) jitter: f64,
    pub(super) max_hint: Duration,
    pub(super) quota_backoff: RangeInclusive<Duration>,
    pub(super) unauthorized: Option<Rule<u32>>,
    pub(super) max_probes: u32,
    pub(super) probe_successes: u32,
    pub(super) probe_timeout: Option<Duration>,
    pub(super) ramp: Duration,
    pub(super) initial_share: f64,
    /// The limits of the attempts below the breaker.
    pub(super) limits: AnswerTimes,
}

// === impl BreakerPolicy ===

impl BreakerPolicy {
    /// The largest value of [`max_probes`](Self::max_probes).
    pub const MAX_PROBES: u32 = 8;

    /// The chance below which a run of failures opens by default, where failures begin with it. After that it is divided by the
    /// number of attempts since failures began.
    pub const CHANCE: f64 = 0.001;

    /// Opens when this number of calls failed in a row, whatever the route's past; `None` disables the rule. Retries of a call
    /// are not counted again.
    #[must_use]
    pub fn consecutive_failures(mut self, failures: impl Into<Option<u32>>) -> Self {
        self.consecutive_failures = failures.into().map(Rule::Exact);
        self
    }

    /// Opens when this share of the calls in the window failed or was pushed back, if there are at least
    /// [`min_calls`](Self::min_calls); `None` disables the rule. A call that a retry saved has not failed.
    #[must_use]
    pub fn failure_ratio(mut self, share: impl Into<Option<f64>>) -> Self {
        self.failure_ratio = share.into().map(Rule::Exact);
        self
    }

    /// The time that failures have to span before a default rule opens. Default: 1 s.
    #[must_use]
    pub fn min_span(mut self, span: Duration) -> Self {
        self.min_span = span;
        self
    }

    /// Opens when this share of the calls in the window was slow; `None` disables the rule, also for probes.
    #[must_use]
    pub fn slow_ratio(mut self, share: impl Into<Option<f64>>) -> Self {
        self.slow_ratio = share.into();
        self
    }

    /// The time after which a call is slow, whatever the usual latency; a slow probe then fails.
    #[must_use]
    pub fn slow_after(mut self, times: AnswerTimes) -> Self {
        self.slow_after = Some(times);
        self
    }

    /// The fewest calls in the window for the failure and the slow ratio. While the breaker recovers, and where all calls failed,
    /// five are enough.
    #[must_use]
    pub fn min_calls(mut self, calls: u32) -> Self {
        self.min_calls = calls;
        self
    }

    /// The time over which calls are counted. Default: 30 s.
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// How long the breaker stays open: the start of the range, doubled each time it reopens, up to the end of the range, which
    /// includes the [`jitter`](Self::jitter). The start is at least 1 ms.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use evenkeel::breaker::BreakerPolicy;
    /// let policy = BreakerPolicy::default().open_backoff(Duration::from_secs(5)..=Duration::from_secs(30));
    /// ```
    #[must_use]
    pub fn open_backoff(mut self, open: RangeInclusive<Duration>) -> Self {
        // A quota is not refilled sooner than a failed provider recovers.
        let quota = &self.quota_backoff;
        self.quota_backoff = *quota.start().max(open.start())..=*quota.end().max(open.start());
        self.open_backoff = open;
        self
    }

    /// The share by which the time open is randomly changed, up or down. A hint is never shortened by it.
    #[must_use]
    pub fn jitter(mut self, share: f64) -> Self {
        self.jitter = share;
        self
    }

    /// The longest wait that a provider can impose. A longer hint is cut to this value: the probe after it costs one call, while
    /// a wrong hint costs the route. The first opening lasts a minute at most, each later one twice as long.
    #[must_use]
    pub fn max_hint(mut self, cap: Duration) -> Self {
        self.max_hint = cap;
        self
    }

    /// Opens when the credential was rejected this many times without a success in between, for all calls of the route, whatever
    /// its past; `None` disables the rule. The breaker stays open for the start of [`open_backoff`](Self::open_backoff), doubled
    /// each time it reopens up to twice its end. A route without a credential, where callers may bring credentials that are not
    /// visible, never opens for this.
    #[must_use]
    pub fn unauthorized(mut self, rejections: impl Into<Option<u32>>) -> Self {
        self.unauthorized = rejections.into().map(Rule::Exact);
        self
    }

    /// How long the breaker stays open when the quota is exhausted and the provider does not state until when: the start of the
    /// range, doubled each time it reopens, up to its end. A shorter known wait replaces it. The start is at least that of
    /// [`open_backoff`](Self::open_backoff).
    #[must_use]
    pub fn quota_backoff(mut self, open: RangeInclusive<Duration>) -> Self {
        self.quota_backoff = open;
        self
    }

    /// The number of probes under way at a time while the breaker is half-open.
    #[must_use]
    pub fn max_probes(mut self, at_a_time: u32) -> Self {
        self.max_probes = at_a_time;
        self
    }

    /// The number of probes that have to succeed before the breaker recovers.
    #[must_use]
    pub fn probe_successes(mut self, probes: u32) -> Self {
        self.probe_successes = probes;
        self
    }

    /// The time after which a probe without an answer is considered hung: the breaker opens again.
    #[must_use]
    pub fn probe_timeout(mut self, limit: Duration) -> Self {
        self.probe_timeout = Some(limit);
        self
    }

    /// The time of the [`ramp`](Self::ramp), and the share that it starts from.
    #[cfg(feature = "serde")]
    pub(crate) fn usual_ramp(&self) -> (Duration, f64) {
        (self.ramp, self.initial_share)
    }

    /// The time in which the share of calls let through grows from `from` to all; zero lets all through at once.
    #[must_use]
    pub fn ramp(mut self, within: Duration, from: f64) -> Self {
        self.ramp = within;
        self.initial_share = from;
        self
    }
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self {
            consecutive_failures: Some(Rule::Improbable(5)),
            failure_ratio: Some(Rule::Improbable(0.5)),
            min_span: Duration::from_secs(1),
            slow_ratio: Some(0.8),
            slow_after: None,
            min_calls: 10,
            window: Duration::from_secs(30),
            open_backoff: Duration::from_secs(5)..=Duration::from_secs(30),
            jitter: 0.2,
            max_hint: LONGEST_WAIT,
            quota_backoff: FIRST_PROBE..=LONGEST_WAIT,
            unauthorized: Some(Rule::Improbable(2)),
            max_probes: 1,
            probe_successes: 2,
            probe_timeout: None,
            ramp: Duration::from_secs(20),
            initial_share: 0.1,
            limits: AnswerTimes {
                first_event: Duration::from_secs(20),
                whole_answer: Duration::from_secs(20),
            },
        }
    }
}

//! What a breaker is set to.

mod check;
mod derived;
mod values;

use std::time::Duration;

pub(super) use values::{Limits, Rule};

use crate::{
    context::{FIRST_PROBE, LONGEST_WAIT},
    time::scale,
};

/// When a breaker opens, for how long, and how it comes back.
///
/// # Defaults
///
/// They know the rate: each rule opens only where what was seen is improbable (below [`CHANCE`](Self::CHANCE)) under a share of
/// failures that would still serve most calls. A rule that is set by hand means exactly what it says and knows no rate.
///
/// | what | default | why |
/// |---|---|---|
/// | [`consecutive`](Self::consecutive) | 5 failed attempts in a row where failures begin with them; up to some 20 by the share that has failed since failures began; of 3 calls and more, over [`span`](Self::span) | at a route that fails one attempt in three anyway, five in a row are nothing |
/// | [`ratio`](Self::ratio) | 0.5 of the calls: 5 of 5, 8 of 10, 18 of 30, 31 of 61 | below it, most calls are still served; of few calls more have to fail until it is no chance |
/// | [`span`](Self::span) | 1 s | a connection that is lost with fifty calls on it is one event |
/// | [`slow`](Self::slow) | 0.8 | slowness comes in waves; failures need no such patience |
/// | [`slow_after`](Self::slow_after) | four fifths of the attempt's limit, and three times the usual latency; only calls that have another target count | what is usual for a model is not slow, and a slow answer is better than none |
/// | [`minimum`](Self::minimum) | 10 calls, or 5 that all failed | fewer are no share of anything |
/// | [`window`](Self::window) | 30 s | long enough for ten calls of a small bot, short enough to forget |
/// | [`open_for`](Self::open_for) | 5 s to 30 s | the primary is asked again within 30 s of its recovery |
/// | [`jitter`](Self::jitter) | 0.2 | processes that opened together do not come back together |
/// | [`hint_cap`](Self::hint_cap) | 10 min, with probes after 1, 3 and 7 min | a longer wait is more often a mistake than meant |
/// | [`exhausted_for`](Self::exhausted_for) | 1 min to 10 min | money does not come back within seconds, and a probe costs nothing |
/// | [`unauthorized`](Self::unauthorized) | 2 rejections of the credential in a row, more where calls are rejected among others that are answered, for 5 s to 60 s; only for calls that have another target | one can be a glitch, and some mean one request and not the key; a key is put right by a person, at any moment |
/// | [`probes`](Self::probes) | 1 | a sick provider is asked by one call, not by all |
/// | [`successes`](Self::successes) | 2 | one can be luck |
/// | [`probe_limit`](Self::probe_limit) | the longest limit of an attempt: 20 s by itself | after it the probe hangs |
/// | [`recover`](Self::recover) | 20 s from 0.1 | caches and autoscalers of a provider fill in that time |
#[derive(Clone, Debug, PartialEq)]
pub struct BreakerPolicy {
    pub(super) consecutive: Option<Rule<u32>>,
    pub(super) ratio: Option<Rule<f64>>,
    pub(super) span: Duration,
    pub(super) slow: Option<f64>,
    pub(super) slow_after: Option<Limits>,
    pub(super) minimum: u32,
    pub(super) window: Duration,
    pub(super) open: Duration,
    pub(super) open_most: Duration,
    pub(super) jitter: f64,
    pub(super) hint_cap: Duration,
    pub(super) exhausted: Duration,
    pub(super) exhausted_most: Duration,
    pub(super) unauthorized: Option<Rule<u32>>,
    pub(super) probes: u32,
    pub(super) successes: u32,
    pub(super) probe_limit: Option<Duration>,
    pub(super) recover: Duration,
    pub(super) recover_from: f64,
    /// The limits of the attempts below.
    pub(super) limits: Limits,
}

// === impl BreakerPolicy ===

impl BreakerPolicy {
    /// The most probes at a time that can be asked for.
    pub const MOST_PROBES: u32 = 8;

    /// The chance of a run of failures that opens by default, where failures begin with it; later it is divided by the attempts
    /// since they began.
    pub const CHANCE: f64 = 0.001;

    /// Opens when so many calls failed in a row, whatever the route has failed before; `None` never opens for that. Retries of
    /// a call are not counted again.
    #[must_use]
    pub fn consecutive(mut self, failures: impl Into<Option<u32>>) -> Self {
        self.consecutive = failures.into().map(Rule::Exact);
        self
    }

    /// Opens when that share of the calls in the window failed or was pushed back, however few they are above
    /// [`minimum`](Self::minimum); `None` never opens for that. A call that a retry saved has not failed.
    #[must_use]
    pub fn ratio(mut self, share: impl Into<Option<f64>>) -> Self {
        self.ratio = share.into().map(Rule::Exact);
        self
    }

    /// The time that failures have to span before a default rule opens.
    #[must_use]
    pub fn span(mut self, span: Duration) -> Self {
        self.span = span;
        self
    }

    /// Opens when that share of the calls in the window was slow; `None` never opens for that, and knows no slow probe.
    #[must_use]
    pub fn slow(mut self, share: impl Into<Option<f64>>) -> Self {
        self.slow = share.into();
        self
    }

    /// A call is slow when the first event of its stream comes later than `first`, or an answer that is not streamed
    /// later than `whole`, whatever is usual; a slow probe then fails.
    #[must_use]
    pub fn slow_after(mut self, first: Duration, whole: Duration) -> Self {
        self.slow_after = Some(Limits { first, whole });
        self
    }

    /// With fewer calls in the window neither the ratio nor slowness opens. While it recovers, and where all failed, five are
    /// enough.
    #[must_use]
    pub fn minimum(mut self, calls: u32) -> Self {
        self.minimum = calls;
        self
    }

    /// How far back calls are counted.
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// How long it stays open: `first`, doubled at each return, up to `most`, [`jitter`](Self::jitter) included.
    #[must_use]
    pub fn open_for(mut self, first: Duration, most: Duration) -> Self {
        self.open = first;
        self.open_most = most;
        // Money does not come back sooner than a provider that is down.
        self.exhausted = self.exhausted.max(first);
        self.exhausted_most = self.exhausted_most.max(first);
        self
    }

    /// By which share, up or down, chance changes the time it stays open. A hint is never cut short by it.
    #[must_use]
    pub fn jitter(mut self, share: f64) -> Self {
        self.jitter = share;
        self
    }

    /// The longest wait a provider can impose. A longer hint counts as this: the probe after it costs one call, believing a
    /// wrong hint costs the route. The first opening lasts a minute at most, the next ones twice as long each.
    #[must_use]
    pub fn hint_cap(mut self, cap: Duration) -> Self {
        self.hint_cap = cap;
        self
    }

    /// Opens when the credential was rejected that many times and nothing succeeded in between, for all calls of the route,
    /// whatever was rejected before: for the first time of [`open_for`](Self::open_for), doubled at each return up to twice its
    /// last; `None` never opens for that. A route without a credential, where callers may bring ones that are not seen, never does.
    #[must_use]
    pub fn unauthorized(mut self, rejections: impl Into<Option<u32>>) -> Self {
        self.unauthorized = rejections.into().map(Rule::Exact);
        self
    }

    /// How long it stays open when the quota is exhausted and nobody says until when: `first`, doubled at each return, up to
    /// `most`. A wait that is known is used in its place where it is shorter.
    #[must_use]
    pub fn exhausted_for(mut self, first: Duration, most: Duration) -> Self {
        self.exhausted = first;
        self.exhausted_most = most;
        self
    }

    /// How many probes are under way at a time while it is half-open.
    #[must_use]
    pub fn probes(mut self, at_a_time: u32) -> Self {
        self.probes = at_a_time;
        self
    }

    /// How many probes have to succeed before it recovers.
    #[must_use]
    pub fn successes(mut self, probes: u32) -> Self {
        self.successes = probes;
        self
    }

    /// A probe without an answer after that long hangs: the breaker opens again.
    #[must_use]
    pub fn probe_limit(mut self, limit: Duration) -> Self {
        self.probe_limit = Some(limit);
        self
    }

    /// How long the share of calls let through takes to grow from `from` to all of them; zero goes to all at once.
    #[must_use]
    pub fn recover(mut self, within: Duration, from: f64) -> Self {
        self.recover = within;
        self.recover_from = from;
        self
    }

    pub(crate) fn scaled(mut self, by: f64) -> Self {
        let slow =
            self.slow_after.iter_mut().flat_map(|limits| [&mut limits.first, &mut limits.whole]);
        slow.chain(&mut self.probe_limit).for_each(|time| *time = scale(*time, by));
        let times = [
            &mut self.limits.first,
            &mut self.limits.whole,
            &mut self.span,
            &mut self.window,
            &mut self.open,
            &mut self.open_most,
            &mut self.hint_cap,
            &mut self.exhausted,
            &mut self.exhausted_most,
            &mut self.recover,
        ];
        for time in times {
            *time = scale(*time, by);
        }
        self
    }
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self {
            consecutive: Some(Rule::Improbable(5)),
            ratio: Some(Rule::Improbable(0.5)),
            span: Duration::from_secs(1),
            slow: Some(0.8),
            slow_after: None,
            minimum: 10,
            window: Duration::from_secs(30),
            open: Duration::from_secs(5),
            open_most: Duration::from_secs(30),
            jitter: 0.2,
            hint_cap: LONGEST_WAIT,
            exhausted: FIRST_PROBE,
            exhausted_most: LONGEST_WAIT,
            unauthorized: Some(Rule::Improbable(2)),
            probes: 1,
            successes: 2,
            probe_limit: None,
            recover: Duration::from_secs(20),
            recover_from: 0.1,
            limits: Limits { first: Duration::from_secs(20), whole: Duration::from_secs(20) },
        }
    }
}

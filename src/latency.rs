//! Latencies of the first events of a route.

use std::{sync::Mutex, time::Duration};

use tokio::time::Instant;

use crate::{
    context::{Route, Routes},
    route_state::{AtRest, Rest, RouteHandle, Slot},
    sync::lock_std as lock,
};

/// The latest samples of one kind; the oldest is overwritten first.
#[derive(Debug, Default)]
struct Samples {
    /// In order of arrival, starting at `next`.
    ring: Vec<Duration>,
    next: usize,
}

/// The samples of a route: first events of streams, and whole answers that are not streamed.
#[derive(Debug, Default)]
struct Kinds([Mutex<Samples>; 2]);

/// The latencies of the first events of each route. A handle: clones share the samples.
///
/// The [hedge](crate::hedge) records them; the [fallback](crate::fallback) uses them to decide how long a probe may take before
/// the next target is tried concurrently.
#[derive(Clone, Debug)]
pub struct Latencies(Slot<Kinds>);

/// A quantile, and the number of samples from which on it is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QuantileQuery {
    pub(crate) quantile: f64,
    pub(crate) min_samples: u32,
}

// === impl Samples ===

impl Samples {
    /// The number of samples kept: enough for a 99th percentile, few enough to be replaced within minutes.
    const MOST: usize = 128;

    fn push(&mut self, sample: Duration) {
        if self.ring.len() < Self::MOST {
            self.ring.push(sample);
        } else {
            self.ring[self.next] = sample;
            self.next = (self.next + 1) % Self::MOST;
        }
    }

    /// The smallest sample that a share of `quantile` does not exceed (nearest rank); `None` with fewer than `least` samples.
    fn quantile(&self, quantile: f64, least: usize) -> Option<Duration> {
        let count = self.ring.len();
        if count < least.max(1) {
            return None;
        }
        let rank = (quantile * count as f64).ceil() as usize;
        let mut sorted = self.ring.clone();
        let (_, found, _) = sorted.select_nth_unstable(rank.clamp(1, count) - 1);
        Some(*found)
    }
}

// === impl Kinds ===

impl Kinds {
    fn quantile(&self, stream: bool, query: QuantileQuery) -> Option<Duration> {
        lock(&self.0[usize::from(stream)]).quantile(query.quantile, query.min_samples as usize)
    }
}

/// Samples can always be evicted: new ones replace them.
impl AtRest for Kinds {
    fn rest(&self, _: Instant) -> Rest {
        Rest::Settled
    }
}

// === impl Latencies ===

impl Latencies {
    /// Creates the latencies for the routes of that registry.
    pub(crate) fn new(routes: &Routes) -> Self {
        Self(Slot::new(routes))
    }

    /// The registry that keeps them.
    pub(crate) fn routes(&self) -> &Routes {
        self.0.routes()
    }

    /// Records a sample, of a stream or of a whole answer.
    pub(crate) fn record(&self, at: &RouteHandle, stream: bool, sample: Duration, now: Instant) {
        let kinds = self.0.of(at, now, |_| Kinds::default());
        lock(&kinds.0[usize::from(stream)]).push(sample);
    }

    /// The latency that a share of `quantile` does not exceed; `None` with fewer than `least` samples.
    pub(crate) fn quantile(
        &self,
        at: &RouteHandle,
        stream: bool,
        query: QuantileQuery,
    ) -> Option<Duration> {
        self.0.peek(at)?.quantile(stream, query)
    }

    /// The same for a route without a handle. Creates no entry.
    pub(crate) fn quantile_of(
        &self,
        route: &Route,
        stream: bool,
        query: QuantileQuery,
    ) -> Option<Duration> {
        self.0.get(route)?.quantile(stream, query)
    }
}

impl Default for Latencies {
    fn default() -> Self {
        Self::new(&Routes::new())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MEDIAN: QuantileQuery = QuantileQuery { quantile: 0.5, min_samples: 20 };

    fn samples(values: impl IntoIterator<Item = u64>) -> Samples {
        let mut samples = Samples::default();
        values.into_iter().for_each(|ms| samples.push(Duration::from_millis(ms)));
        samples
    }

    fn at(samples: &Samples, quantile: f64) -> Option<u64> {
        samples.quantile(quantile, 20).map(|sample| sample.as_millis() as u64)
    }

    #[test]
    fn with_too_few_samples_nothing_is_usual() {
        assert_eq!(at(&samples(1..=19), 0.95), None);
        assert_eq!(at(&samples(1..=20), 0.95), Some(19));
        assert_eq!(samples([]).quantile(0.5, 0), None);
    }

    #[test]
    fn old_samples_are_forgotten_whatever_they_were() {
        let many = samples((0..500).map(|_| 9000).chain(1..=128));
        assert_eq!(
            (at(&many, 0.5), at(&many, 0.95), at(&many, 1.0)),
            (Some(64), Some(122), Some(128))
        );
    }

    #[test]
    fn streams_and_whole_answers_are_measured_apart() {
        let (latencies, route) = (Latencies::default(), Route::new("host", "model", "-"));
        let at = latencies.routes().find(&route, Instant::now());
        for _ in 0..20 {
            latencies.record(&at, true, Duration::from_millis(300), Instant::now());
        }
        let median = |stream| latencies.quantile(&at, stream, MEDIAN);
        assert_eq!((median(true), median(false)), (Some(Duration::from_millis(300)), None));
        assert_eq!(latencies.quantile_of(&route, true, MEDIAN), median(true));
        let other = Route::new("host", "other", "-");
        assert_eq!(
            latencies.quantile_of(&other, true, QuantileQuery { min_samples: 1, ..MEDIAN }),
            None
        );
    }

    proptest! {
        #[test]
        fn law_a_quantile_is_that_of_a_sorted_list(
            values in proptest::collection::vec(0..10_000_u64, 20..300), quantile in 0.01..=1.0_f64,
        ) {
            let kept = &values[values.len().saturating_sub(Samples::MOST)..];
            let mut sorted = kept.to_vec();
            sorted.sort_unstable();
            let rank = ((quantile * kept.len() as f64).ceil() as usize).clamp(1, kept.len());
            prop_assert_eq!(at(&samples(values.iter().copied()), quantile), Some(sorted[rank - 1]));
        }
    }
}

//! The usual latency of the answers of a route.

use std::time::Duration;

/// The usual latency of each kind of answer.
///
/// A geometric mean in which older answers fade, so that one answer of a minute among many of a second changes it little, and a
/// latency that has become usual is no longer slow.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct UsualLatency {
    first: Mean,
    whole: Mean,
}

#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    /// The mean of the logarithms of seconds.
    log: f64,
    seen: u32,
}

/// The fewest answers for a usual latency.
const FEWEST: u32 = 5;

/// The weight of the latest answer is one in this number, once there are enough.
const MEMORY: u32 = 32;

// === impl UsualLatency ===

impl UsualLatency {
    /// Adds the latency of an answer: to its first event, or of the whole answer.
    pub(super) fn add(&mut self, whole: bool, took: Duration) {
        let mean = if whole { &mut self.whole } else { &mut self.first };
        mean.seen = (mean.seen + 1).min(MEMORY);
        mean.log += (took.as_secs_f64().max(1e-6).ln() - mean.log) / f64::from(mean.seen);
    }

    /// The usual latency; `None` while too few answers were seen.
    pub(super) fn of(&self, whole: bool) -> Option<Duration> {
        let mean = if whole { self.whole } else { self.first };
        (mean.seen >= FEWEST)
            .then(|| Duration::try_from_secs_f64(mean.log.exp()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_and_the_latest_count_most() {
        let mut usual = UsualLatency::default();
        let secs = Duration::from_secs;
        (0..4).for_each(|_| usual.add(true, secs(2)));
        assert_eq!(usual.of(true), None, "too few");
        usual.add(true, secs(2));
        let near = |seen: Option<Duration>, secs: f64| {
            seen.is_some_and(|seen| (seen.as_secs_f64() / secs - 1.0).abs() < 0.1)
        };
        assert!(near(usual.of(true), 2.0) && usual.of(false).is_none());
        (0..150).for_each(|_| usual.add(true, secs(17)));
        assert!(near(usual.of(true), 17.0), "{:?}", usual.of(true));
        (0..5).for_each(|_| usual.add(false, Duration::ZERO));
        assert!(usual.of(false).is_some_and(|first| first < Duration::from_millis(1)));
    }
}

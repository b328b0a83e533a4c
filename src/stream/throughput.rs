//! How fast the content of a stream comes: whether it trickles.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use super::ProgressSignal;
use crate::sync::lock_std as lock;

/// The pace below which a stream is slow: so many events with content in such a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MinThroughput {
    pub(crate) events: u32,
    pub(crate) per: Duration,
}

/// Counts the content of a stream against the time that was waited for it. A handle: clones are the same count, in the
/// extensions of the answer too.
#[derive(Clone, Debug)]
pub(crate) struct ThroughputMeter(Arc<Mutex<Count>>);

/// What came in what time.
#[derive(Debug)]
pub(super) struct Count {
    least: MinThroughput,
    /// Of the minute under way.
    events: u32,
    waited: Duration,
    slow: Option<BelowMin>,
}

/// The slowest minute of a stream that was too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BelowMin {
    pub(crate) events: u32,
    pub(crate) within: Duration,
}

// === impl ThroughputMeter ===

impl ThroughputMeter {
    /// The pace of a stream from here on, with what was held back of it since its first content.
    pub(crate) fn new(least: MinThroughput, held: Option<(Instant, &ProgressSignal)>) -> Self {
        let mut count = Count::new(least);
        if let Some((first, pulse)) = held {
            // Nobody but the provider was waited for.
            count.add(pulse.beats().saturating_sub(1), first.elapsed());
        }
        Self(Arc::new(Mutex::new(count)))
    }

    /// So many events with content came after that wait.
    pub(super) fn add(&self, events: u32, waited: Duration) {
        lock(&self.0).add(events, waited);
    }

    /// Where the stream was too slow, if it is at its end now.
    pub(crate) fn slow(&self) -> Option<BelowMin> {
        lock(&self.0).slow()
    }
}

// === impl Count ===

impl Count {
    fn new(least: MinThroughput) -> Self {
        Self { least, events: 0, waited: Duration::ZERO, slow: None }
    }

    fn add(&mut self, events: u32, waited: Duration) {
        self.events = self.events.saturating_add(events);
        self.waited = self.waited.saturating_add(waited);
        if self.waited >= self.least.per {
            self.judge();
            (self.events, self.waited) = (0, Duration::ZERO);
        }
    }

    fn judge(&mut self) {
        let MinThroughput { events, per } = self.least;
        // The events that came, in as long a time as is set.
        let came = f64::from(self.events) * per.as_secs_f64() / self.waited.as_secs_f64();
        if came < f64::from(events) {
            self.slow.get_or_insert(BelowMin { events: self.events, within: self.waited });
        }
    }

    /// The last minute may not be a whole one: it is judged by what came of it, unless it is too short to say anything.
    fn slow(&mut self) -> Option<BelowMin> {
        if self.waited >= self.least.per / 6 {
            self.judge();
        }
        self.slow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: MinThroughput = MinThroughput { events: 30, per: Duration::from_secs(60) };

    fn of(waits: impl IntoIterator<Item = u64>) -> Option<BelowMin> {
        let mut count = Count::new(LEAST);
        waits.into_iter().for_each(|ms| count.add(1, Duration::from_millis(ms)));
        count.slow()
    }

    #[test]
    fn fewer_events_a_minute_than_are_set_are_slow() {
        assert_eq!(of([2_000; 90]), None, "thirty a minute is what is set");
        let slow = of([2_500; 90]).unwrap();
        assert_eq!((slow.events, slow.within), (24, Duration::from_secs(60)));
    }

    #[test]
    fn a_stream_shorter_than_a_minute_is_judged_by_what_it_was() {
        assert!(of([4_000; 3]).is_some(), "three in twelve seconds");
        assert_eq!(of([4_000; 2]), None, "eight seconds are too few to say");
        assert_eq!(of([]), None);
    }

    #[test]
    fn a_pause_in_a_quick_stream_is_none() {
        assert_eq!(of([&[100; 50][..], &[14_000], &[100; 50]].concat()), None);
    }

    #[test]
    fn a_minute_that_crawled_is_not_made_good_by_a_quick_one() {
        assert!(of([&[6_000; 10][..], &[10; 900]].concat()).is_some());
    }
}

//! The limits of one caller: requests a minute, and concurrent calls.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// The limits of one caller. Clones share what is used.
#[derive(Clone, Debug, Default)]
pub(super) struct CallerLimits {
    requests: Option<Arc<PerMinute>>,
    concurrency: Option<Arc<Semaphore>>,
}

/// Requests a minute: all of them at once after an idle minute, else evenly (GCRA).
#[derive(Debug)]
struct PerMinute {
    /// Between two requests.
    interval: Duration,
    /// When the requests so far would have arrived if they had come evenly. `None`: none yet.
    arrival: Mutex<Option<Instant>>,
}

const MINUTE: Duration = Duration::from_secs(60);
/// When a call is tried again that found too many others: their ends are not known.
const SOON: Duration = Duration::from_secs(1);

// === impl CallerLimits ===

impl CallerLimits {
    pub(super) fn new(requests: Option<u32>, concurrency: Option<usize>) -> Self {
        let requests = requests.map(|requests| {
            let interval = MINUTE / requests.max(1);
            Arc::new(PerMinute { interval, arrival: Mutex::new(None) })
        });
        Self { requests, concurrency: concurrency.map(|calls| Arc::new(Semaphore::new(calls))) }
    }

    /// A permit for one call, to be held until its answer has ended; or how long to wait for another try.
    pub(super) fn enter(&self, now: Instant) -> Result<Option<OwnedSemaphorePermit>, Duration> {
        let permit = match &self.concurrency {
            Some(calls) => Some(calls.clone().try_acquire_owned().map_err(|_| SOON)?),
            None => None,
        };
        self.requests.as_ref().map_or(Ok(()), |requests| requests.take(now))?;
        Ok(permit)
    }
}

// === impl PerMinute ===

impl PerMinute {
    /// A request that is refused does not count.
    fn take(&self, now: Instant) -> Result<(), Duration> {
        let mut arrival = self.arrival.lock().unwrap_or_else(PoisonError::into_inner);
        let even = arrival.map_or(now, |at| at.max(now)) + self.interval;
        let ahead = even.duration_since(now);
        if ahead > MINUTE {
            return Err(ahead - MINUTE);
        }
        *arrival = Some(even);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_its_requests_and_then_they_come_evenly() {
        let (limits, start) = (CallerLimits::new(Some(3), None), Instant::now());
        let at = |seconds| limits.enter(start + Duration::from_secs(seconds)).map(drop);
        assert_eq!([at(0), at(0), at(0)], [Ok(()); 3]);
        assert_eq!(at(0), Err(Duration::from_secs(20)));
        assert_eq!(at(5), Err(Duration::from_secs(15)));
        assert_eq!((at(20), at(21)), (Ok(()), Err(Duration::from_secs(19))));
        assert_eq!((at(200), at(200), at(200)), (Ok(()), Ok(()), Ok(())));
        assert_eq!(at(200), Err(Duration::from_secs(20)));
    }

    #[test]
    fn a_call_beyond_the_concurrent_ones_is_refused_and_does_not_count_as_a_request() {
        let (limits, now) = (CallerLimits::new(Some(2), Some(1)), Instant::now());
        let first = limits.enter(now).unwrap();
        for _ in 0..5 {
            assert_eq!(limits.enter(now).map(drop), Err(SOON));
        }
        drop(first);
        assert!(limits.enter(now).unwrap().is_some());
        assert_eq!(limits.enter(now).map(drop), Err(Duration::from_secs(30)));
    }
}

//! Schedules of the `backoff` crate.

use std::time::Duration;

use ::backoff::backoff::Backoff;

/// The waits of a `backoff` schedule for one call. Created by [`from_backoff`].
#[derive(Clone, Debug)]
pub struct BackoffWaits<B>(B);

/// Converts a schedule of the [`backoff`](https://docs.rs/backoff) crate, for code that already has one configured.
///
/// The crate is unmaintained ([RUSTSEC-2025-0012](https://rustsec.org/advisories/RUSTSEC-2025-0012)); for new code use
/// [`RetryPolicy`](super::RetryPolicy) itself, or `backon`. Feature `backoff`.
///
/// Every call that reaches its first retry gets its own copy, which is [reset](Backoff::reset). So `max_elapsed_time` (15 minutes
/// in that crate's default) counts from the first failure, by the clock of the standard library: a paused tokio clock does not
/// affect it. Limit a call by its deadline instead, and set `max_elapsed_time` to `None`.
///
/// ```
/// use std::time::Duration;
/// use evenkeel::retry::{RetryPolicy, from_backoff};
///
/// let configured = backoff::ExponentialBackoff {
///     initial_interval: Duration::from_millis(200),
///     max_elapsed_time: None,
///     ..backoff::ExponentialBackoff::default()
/// };
/// let policy = RetryPolicy::new().schedule(from_backoff(configured)).retries(3);
/// # policy.build().expect("as it is");
/// ```
pub fn from_backoff<B>(configured: B) -> impl Fn() -> BackoffWaits<B> + Send + Sync + 'static
where
    B: Backoff + Clone + Send + Sync + 'static,
{
    move || {
        let mut own = configured.clone();
        own.reset();
        BackoffWaits(own)
    }
}

// === impl BackoffWaits ===

impl<B: Backoff> Iterator for BackoffWaits<B> {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.0.next_backoff()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubling(max_elapsed_time: Option<Duration>) -> ::backoff::ExponentialBackoff {
        ::backoff::ExponentialBackoff {
            current_interval: Duration::from_secs(99),
            initial_interval: Duration::from_secs(1),
            randomization_factor: 0.0,
            multiplier: 2.0,
            max_interval: Duration::from_secs(4),
            max_elapsed_time,
            ..Default::default()
        }
    }

    #[test]
    fn every_call_starts_at_the_initial_interval() {
        let make = from_backoff(doubling(None));
        for _ in 0..2 {
            let waits: Vec<_> = make().take(4).map(|wait| wait.as_secs()).collect();
            assert_eq!(waits, [1, 2, 4, 4]);
        }
    }

    #[test]
    fn its_end_is_the_end() {
        let make = from_backoff(doubling(Some(Duration::ZERO)));
        assert_eq!(make().next(), None);
    }
}

//! How much a provider takes.

/// How much a provider takes before it turns attempts away.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Capacity {
    /// So many attempts at a time, each until the end of its body.
    Concurrent(usize),
    /// So many attempts a second, with a second's worth (at least one) at once. A number below zero is taken for zero.
    PerSecond(f64),
    /// So many requests and tokens a minute, with a minute's worth at once, as keys of an API have them. What is left is
    /// told in the headers of every answer, in the way of the API at the request's path: `x-ratelimit-remaining-requests`
    /// and the like, or `anthropic-ratelimit-requests-remaining`. A request costs a token for each four bytes of its body, and
    /// its `max_tokens`.
    PerMinute {
        /// How many requests.
        requests: u32,
        /// How many tokens.
        tokens: u32,
    },
}

/// Attempts that may still be served: filled by time, at a rate that may change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    tokens: f64,
    filled: f64,
    rate: f64,
    burst: Burst,
}

/// How much a bucket holds: so many seconds' worth, and at least so many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Burst {
    pub(crate) seconds: f64,
    pub(crate) least: f64,
}

// === impl Bucket ===

impl Bucket {
    /// A bucket that is as full as it can be at that rate a second; empty where the rate is zero.
    pub(crate) fn new(rate: f64, burst: Burst) -> Self {
        let tokens = if rate > 0.0 { burst.of(rate) } else { 0.0 };
        Self { tokens, filled: 0.0, rate, burst }
    }

    /// Takes one at `now`, in seconds, at which the rate is `rate` a second. Between two calls the rate is taken to
    /// have changed evenly.
    pub(crate) fn take(&mut self, now: f64, rate: f64) -> bool {
        let passed = (now - self.filled).max(0.0);
        let earned = passed * (self.rate + rate) / 2.0;
        self.tokens = (self.tokens + earned).min(self.burst.of(rate));
        (self.filled, self.rate) = (now, rate);
        let served = self.tokens >= 1.0 - 1e-9;
        if served {
            self.tokens -= 1.0;
        }
        served
    }
}

// === impl Burst ===

impl Burst {
    fn of(self, rate: f64) -> f64 {
        (self.seconds * rate).max(self.least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Burst = Burst { seconds: 1.0, least: 1.0 };

    #[test]
    fn a_bucket_serves_its_rate_and_no_more() {
        let mut bucket = Bucket::new(2.0, SECOND);
        let served = (0..1000).filter(|n| bucket.take(f64::from(*n) / 100.0, 2.0)).count();
        assert_eq!(served, 2 + 19, "a burst of two and two a second for 9.99 s");
    }

    #[test]
    fn a_bucket_without_a_rate_serves_nobody() {
        let mut bucket = Bucket::new(0.0, SECOND);
        assert!(!bucket.take(1000.0, 0.0));
    }

    #[test]
    fn a_growing_rate_serves_the_area_under_it() {
        let mut bucket = Bucket::new(0.0, SECOND);
        let served = (0..10_000).filter(|n| {
            let now = f64::from(*n) / 100.0;
            bucket.take(now, now / 10.0)
        });
        assert!((490..=500).contains(&served.count()), "the half of 100 s times 10 a second");
    }
}

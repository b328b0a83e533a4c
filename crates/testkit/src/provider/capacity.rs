//! The capacity of a provider.

/// The load beyond which a provider rejects attempts.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Capacity {
    /// The number of attempts in progress, each until the end of its body.
    Concurrent(usize),
    /// The attempts a second, with a burst of one second and of at least one attempt. A number below zero counts as zero.
    PerSecond(f64),
    /// The requests and tokens a minute, with a burst of one minute, as for a key of an API. The remaining quota is in the
    /// headers of every answer, in the names of the API: `x-ratelimit-remaining-requests` and others, or
    /// `anthropic-ratelimit-requests-remaining` and others. A request costs one token for each four bytes of its body, and its
    /// `max_tokens`.
    PerMinute {
        /// The requests a minute.
        requests: u32,
        /// The tokens a minute.
        tokens: u32,
    },
}

/// A token bucket whose rate may change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenBucket {
    tokens: f64,
    /// When the bucket was last filled, in seconds.
    filled: f64,
    rate: f64,
    burst: Burst,
}

/// The size of a bucket: the tokens of some seconds, and a minimum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Burst {
    pub(crate) seconds: f64,
    pub(crate) min: f64,
}

// === impl TokenBucket ===

impl TokenBucket {
    /// A full bucket for a rate a second. It is empty where the rate is zero.
    pub(crate) fn new(rate: f64, burst: Burst) -> Self {
        let tokens = if rate > 0.0 { burst.of(rate) } else { 0.0 };
        Self { tokens, filled: 0.0, rate, burst }
    }

    /// Takes one token at `now`, in seconds, where the rate is `rate` a second. The rate changes evenly between two calls.
    pub(crate) fn take(&mut self, now: f64, rate: f64) -> bool {
        let passed = (now - self.filled).max(0.0);
        let earned = passed * (self.rate + rate) / 2.0;
        self.tokens = (self.tokens + earned).min(self.burst.of(rate));
        (self.filled, self.rate) = (now, rate);
        let has_token = self.tokens >= 1.0 - 1e-9;
        if has_token {
            self.tokens -= 1.0;
        }
        has_token
    }
}

// === impl Burst ===

impl Burst {
    fn of(self, rate: f64) -> f64 {
        (self.seconds * rate).max(self.min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Burst = Burst { seconds: 1.0, min: 1.0 };

    #[test]
    fn a_bucket_serves_its_rate_and_no_more() {
        let mut bucket = TokenBucket::new(2.0, SECOND);
        let served = (0..1000).filter(|n| bucket.take(f64::from(*n) / 100.0, 2.0)).count();
        assert_eq!(served, 2 + 19, "a burst of two and two a second for 9.99 s");
    }

    #[test]
    fn a_bucket_without_a_rate_serves_nobody() {
        let mut bucket = TokenBucket::new(0.0, SECOND);
        assert!(!bucket.take(1000.0, 0.0));
    }

    #[test]
    fn a_growing_rate_serves_the_area_under_it() {
        let mut bucket = TokenBucket::new(0.0, SECOND);
        let served = (0..10_000).filter(|n| {
            let now = f64::from(*n) / 100.0;
            bucket.take(now, now / 10.0)
        });
        assert!((490..=500).contains(&served.count()), "the half of 100 s times 10 a second");
    }
}

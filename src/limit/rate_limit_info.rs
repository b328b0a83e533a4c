//! What a provider tells of its limits.

use std::time::Duration;

use super::{policy::MINUTE, tokens::Kind};

/// What a provider tells of one of its limits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct RateLimitInfo {
    pub(super) limit: Option<f64>,
    pub(super) remaining: Option<f64>,
    /// When it is full again.
    pub(super) reset: Option<Duration>,
}

/// The same, and what is counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Told {
    pub(super) kind: Kind,
    pub(super) news: RateLimitInfo,
}

/// How what was used comes back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Refill {
    /// Steadily, all of it within that period.
    Steady(Duration),
    /// All at once, after that time.
    Window(Duration),
    /// The provider does not say.
    Unsaid,
}

// === impl RateLimitInfo ===

impl RateLimitInfo {
    /// How what was used comes back. Providers with buckets tell when theirs is full: that tells the period.
    pub(super) fn refill(&self) -> Refill {
        const DAY: Duration = Duration::from_secs(86_400);
        const PERIODS: [Duration; 3] = [MINUTE, DAY, Duration::from_secs(3600)];
        let (Some(limit), Some(left), Some(reset)) = (self.limit, self.remaining, self.reset)
        else {
            return self.reset.map_or(Refill::Unsaid, Refill::Window);
        };
        let used = (limit - left).max(0.0);
        if used == 0.0 {
            return Refill::Unsaid;
        }
        let fits = |period: &Duration| {
            let full = period.as_secs_f64() * used / limit;
            // What is left is told in whole numbers, and the time in whole seconds by some.
            let one = if *period == MINUTE { 60.0 / limit } else { 0.0 };
            let fuzzy = (0.2 * full).max(1.0).max(one);
            (reset.as_secs_f64() - full).abs() <= fuzzy
        };
        let steady = PERIODS.into_iter().find(fits);
        steady.map_or(Refill::Window(reset), Refill::Steady)
    }

    /// Whether it is about a day or an hour, and not about a minute.
    pub(super) fn is_long(&self) -> bool {
        match self.refill() {
            Refill::Steady(period) => period > MINUTE,
            Refill::Window(reset) => reset > 2 * MINUTE,
            Refill::Unsaid => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: f64) -> Duration {
        Duration::from_secs_f64(secs)
    }

    fn news(limit: f64, remaining: f64, reset: f64) -> RateLimitInfo {
        RateLimitInfo { limit: Some(limit), remaining: Some(remaining), reset: Some(secs(reset)) }
    }

    #[test]
    fn the_time_until_it_is_full_tells_the_period() {
        let day = Refill::Steady(secs(86_400.0));
        let minute = Refill::Steady(MINUTE);
        assert_eq!(news(60.0, 59.0, 1.0).refill(), minute);
        assert_eq!(news(60.0, 0.0, 60.0).refill(), minute);
        assert_eq!(news(10_000.0, 9_999.0, 0.006).refill(), minute);
        // Groq: requests by the day.
        assert_eq!(news(14_400.0, 14_370.0, 179.56).refill(), day);
        assert_eq!(news(10_000.0, 9_999.0, 8.64).refill(), day);
        // Azure: seconds without a fraction.
        assert_eq!(news(300.0, 299.0, 1.0).refill(), minute);
        // A window that began half a minute ago.
        assert_eq!(news(60.0, 0.0, 30.0).refill(), Refill::Window(secs(30.0)));
        assert_eq!(news(60.0, 60.0, 0.0).refill(), Refill::Unsaid);
        assert_eq!(RateLimitInfo::default().refill(), Refill::Unsaid);
    }
}

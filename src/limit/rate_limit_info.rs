//! The rate limits that a provider reports.

use std::time::Duration;

use super::{cost::CostDimension, policy::MINUTE};

/// A report about one limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct RateLimitInfo {
    pub(super) limit: Option<f64>,
    pub(super) remaining: Option<f64>,
    /// The time until all of the limit is available again.
    pub(super) reset: Option<Duration>,
}

/// A report about the limit of one dimension.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ReportedLimit {
    pub(super) dimension: CostDimension,
    pub(super) info: RateLimitInfo,
}

/// How used cells become available again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Refill {
    /// Steadily, all within that period.
    Steady(Duration),
    /// All at once, after that time.
    Window(Duration),
    /// The provider does not report it.
    Unknown,
}

// === impl RateLimitInfo ===

impl RateLimitInfo {
    /// How used cells become available again. A provider with a token bucket reports when its bucket is full, which determines
    /// the period.
    pub(super) fn refill(&self) -> Refill {
        const DAY: Duration = Duration::from_secs(86_400);
        const PERIODS: [Duration; 3] = [MINUTE, DAY, Duration::from_secs(3600)];
        let (Some(limit), Some(remaining), Some(reset)) = (self.limit, self.remaining, self.reset)
        else {
            return self.reset.map_or(Refill::Unknown, Refill::Window);
        };
        let used = (limit - remaining).max(0.0);
        if used == 0.0 {
            return Refill::Unknown;
        }
        let fits = |period: &Duration| {
            let full = period.as_secs_f64() * used / limit;
            // The remaining amount is a whole number, and some providers report the time in whole seconds.
            let one_cell = if *period == MINUTE { 60.0 / limit } else { 0.0 };
            let tolerance = (0.2 * full).max(1.0).max(one_cell);
            (reset.as_secs_f64() - full).abs() <= tolerance
        };
        let steady = PERIODS.into_iter().find(fits);
        steady.map_or(Refill::Window(reset), Refill::Steady)
    }

    /// Whether the limit is per hour or day, and not per minute.
    pub(super) fn is_long(&self) -> bool {
        match self.refill() {
            Refill::Steady(period) => period > MINUTE,
            Refill::Window(reset) => reset > 2 * MINUTE,
            Refill::Unknown => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: f64) -> Duration {
        Duration::from_secs_f64(secs)
    }

    fn info(limit: f64, remaining: f64, reset: f64) -> RateLimitInfo {
        RateLimitInfo { limit: Some(limit), remaining: Some(remaining), reset: Some(secs(reset)) }
    }

    #[test]
    fn the_time_until_the_bucket_is_full_shows_the_period() {
        let day = Refill::Steady(secs(86_400.0));
        let minute = Refill::Steady(MINUTE);
        assert_eq!(info(60.0, 59.0, 1.0).refill(), minute);
        assert_eq!(info(60.0, 0.0, 60.0).refill(), minute);
        assert_eq!(info(10_000.0, 9_999.0, 0.006).refill(), minute);
        // Groq: requests per day.
        assert_eq!(info(14_400.0, 14_370.0, 179.56).refill(), day);
        assert_eq!(info(10_000.0, 9_999.0, 8.64).refill(), day);
        // Azure: seconds without a fraction.
        assert_eq!(info(300.0, 299.0, 1.0).refill(), minute);
        // A window that began half a minute ago.
        assert_eq!(info(60.0, 0.0, 30.0).refill(), Refill::Window(secs(30.0)));
        assert_eq!(info(60.0, 60.0, 0.0).refill(), Refill::Unknown);
        assert_eq!(RateLimitInfo::default().refill(), Refill::Unknown);
    }
}

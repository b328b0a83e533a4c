//! Quotas that are renewed by the calendar, without a header for the time.

use std::time::SystemTime;

use jiff::{Timestamp, ToSpan, tz::TimeZone};

/// The time at which a quota is renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QuotaReset {
    /// At midnight in California: the daily quotas of the Gemini API.
    PacificDay,
    /// At the first of the month, UTC: the spend limits of Anthropic.
    Month,
}

/// Pacific time with its daylight-saving rule, because no time zone database is available.
const PACIFIC: &str = "PST8PDT,M3.2.0,M11.1.0";

// === impl QuotaReset ===

impl QuotaReset {
    /// The seconds from `now` until the renewal.
    pub(crate) fn seconds(self, now: SystemTime) -> Option<f64> {
        let now = Timestamp::try_from(now).ok()?;
        let next = match self {
            Self::PacificDay => {
                now.to_zoned(TimeZone::posix(PACIFIC).ok()?).tomorrow().ok()?.start_of_day()
            }
            Self::Month => {
                let month =
                    now.to_zoned(TimeZone::UTC).first_of_month().ok()?.start_of_day().ok()?;
                month.checked_add(1.month())
            }
        };
        Some(next.ok()?.timestamp().duration_since(now).as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_the_gemini_api_ends_at_midnight_in_california_and_a_month_of_anthropic_in_utc() {
        for (now, day, month) in [
            ("2025-07-01T06:59:00Z", 60.0, 31.0 * 86400.0 - 6.0 * 3600.0 - 59.0 * 60.0),
            ("2025-07-01T07:00:00Z", 86400.0, 31.0 * 86400.0 - 7.0 * 3600.0),
            ("2025-12-31T23:00:00Z", 9.0 * 3600.0, 3600.0),
            // The day on which daylight saving time starts has 23 hours.
            ("2026-03-08T08:00:00Z", 23.0 * 3600.0, 23.0 * 86400.0 + 16.0 * 3600.0),
        ] {
            let now = SystemTime::from(now.parse::<Timestamp>().unwrap());
            assert_eq!(QuotaReset::PacificDay.seconds(now), Some(day), "{now:?}");
            assert_eq!(QuotaReset::Month.seconds(now), Some(month), "{now:?}");
        }
    }
}

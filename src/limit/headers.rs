//! Parses the rate limits that a provider reports in the headers of an answer.

use std::time::SystemTime;

use http::{HeaderMap, HeaderName};

use super::{
    cost::CostDimension,
    rate_limit_info::{RateLimitInfo, ReportedLimit},
};
use crate::outcome::{provider_time, time_until_reset};

/// The headers of one limit: its size, what is left of it, and when all of it is available again.
struct HeaderNames {
    dimension: CostDimension,
    limit: &'static str,
    remaining: &'static str,
    reset: &'static str,
}

/// The limits that providers report. The detailed ones come first; a coarser one of the same dimension is ignored.
const NAMES: [HeaderNames; 8] = [
    HeaderNames {
        dimension: CostDimension::Requests,
        limit: "x-ratelimit-limit-requests",
        remaining: "x-ratelimit-remaining-requests",
        reset: "x-ratelimit-reset-requests",
    },
    HeaderNames {
        dimension: CostDimension::Tokens,
        limit: "x-ratelimit-limit-tokens",
        remaining: "x-ratelimit-remaining-tokens",
        reset: "x-ratelimit-reset-tokens",
    },
    HeaderNames {
        dimension: CostDimension::Requests,
        limit: "anthropic-ratelimit-requests-limit",
        remaining: "anthropic-ratelimit-requests-remaining",
        reset: "anthropic-ratelimit-requests-reset",
    },
    HeaderNames {
        dimension: CostDimension::Input,
        limit: "anthropic-ratelimit-input-tokens-limit",
        remaining: "anthropic-ratelimit-input-tokens-remaining",
        reset: "anthropic-ratelimit-input-tokens-reset",
    },
    HeaderNames {
        dimension: CostDimension::Output,
        limit: "anthropic-ratelimit-output-tokens-limit",
        remaining: "anthropic-ratelimit-output-tokens-remaining",
        reset: "anthropic-ratelimit-output-tokens-reset",
    },
    HeaderNames {
        dimension: CostDimension::Tokens,
        limit: "anthropic-ratelimit-tokens-limit",
        remaining: "anthropic-ratelimit-tokens-remaining",
        reset: "anthropic-ratelimit-tokens-reset",
    },
    HeaderNames {
        dimension: CostDimension::Requests,
        limit: "x-ratelimit-limit",
        remaining: "x-ratelimit-remaining",
        reset: "x-ratelimit-reset",
    },
    HeaderNames {
        dimension: CostDimension::Requests,
        limit: "ratelimit-limit",
        remaining: "ratelimit-remaining",
        reset: "ratelimit-reset",
    },
];

/// The prefixes of all names. Most answers have none of these headers, and then no name is looked up.
const PREFIXES: [&str; 3] = ["x-ratelimit-", "anthropic-ratelimit-", "ratelimit-"];

/// Parses the limits in the headers of an answer received at `now`, at most one per dimension.
pub(super) fn read(headers: &HeaderMap, now: impl FnOnce() -> SystemTime) -> Vec<ReportedLimit> {
    let is_limit =
        |name: &HeaderName| PREFIXES.iter().any(|prefix| name.as_str().starts_with(prefix));
    if !headers.keys().any(is_limit) {
        return Vec::new();
    }
    let now = provider_time(headers, now());
    let mut limits: Vec<ReportedLimit> = Vec::new();
    for names in &NAMES {
        if limits.iter().all(|limit| limit.dimension != names.dimension) {
            limits.extend(names.read(headers, now));
        }
    }
    limits
}

// === impl HeaderNames ===

impl HeaderNames {
    fn read(&self, headers: &HeaderMap, now: SystemTime) -> Option<ReportedLimit> {
        let limit = number(headers, self.limit).filter(|limit| *limit >= 1.0);
        let remaining = number(headers, self.remaining);
        if limit.is_none() && remaining.is_none() {
            return None;
        }
        let reset = text(headers, self.reset).and_then(|reset| time_until_reset(reset, now));
        let info = RateLimitInfo { limit, remaining, reset };
        Some(ReportedLimit { dimension: self.dimension, info })
    }
}

/// Parses the value of a limit. Azure sends `-1` for unknown.
fn number(headers: &HeaderMap, name: &str) -> Option<f64> {
    let text = text(headers, name)?;
    // The IETF draft allows the policy after the number: `100;w=60`, `100, 100;w=60`.
    let number: f64 = text.split([';', ',']).next()?.trim().parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn read_all(headers: &[(&str, &str)]) -> Vec<ReportedLimit> {
        let pair = |(name, value): &(&str, &str)| {
            (HeaderName::try_from(*name).unwrap(), value.parse().unwrap())
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        read(&headers.iter().map(pair).collect(), || now)
    }

    fn one(dimension: CostDimension, limit: f64, remaining: f64, reset: f64) -> ReportedLimit {
        let reset = Some(Duration::from_secs_f64(reset));
        let info = RateLimitInfo { limit: Some(limit), remaining: Some(remaining), reset };
        ReportedLimit { dimension, info }
    }

    #[test]
    fn openai_reports_requests_and_tokens_with_go_durations() {
        let limits = read_all(&[
            ("x-ratelimit-limit-requests", "60"),
            ("x-ratelimit-remaining-requests", "59"),
            ("x-ratelimit-reset-requests", "1s"),
            ("x-ratelimit-limit-tokens", "150000"),
            ("x-ratelimit-remaining-tokens", "149984"),
            ("x-ratelimit-reset-tokens", "6m0s"),
        ]);
        let tokens = one(CostDimension::Tokens, 150_000.0, 149_984.0, 360.0);
        assert_eq!(limits, [one(CostDimension::Requests, 60.0, 59.0, 1.0), tokens]);
    }

    #[test]
    fn azure_reports_minus_one_for_unknown() {
        let requests = [
            ("x-ratelimit-limit-requests", "-1"),
            ("x-ratelimit-remaining-requests", "-1"),
            ("x-ratelimit-reset-requests", "10"),
        ];
        assert_eq!(read_all(&requests), []);
        let left = read_all(&[("x-ratelimit-remaining-tokens", "7")]);
        assert_eq!(left[0].info, RateLimitInfo { limit: None, remaining: Some(7.0), reset: None });
    }

    #[test]
    fn anthropic_reports_input_and_output_apart_with_dates() {
        let limits = read_all(&[
            ("anthropic-ratelimit-input-tokens-limit", "40000"),
            ("anthropic-ratelimit-input-tokens-remaining", "20000"),
            ("anthropic-ratelimit-input-tokens-reset", "2023-11-14T22:13:50Z"),
            ("anthropic-ratelimit-output-tokens-limit", "8000"),
            ("anthropic-ratelimit-output-tokens-remaining", "0"),
            ("anthropic-ratelimit-output-tokens-reset", "2023-11-14T22:14:20Z"),
        ]);
        let output = one(CostDimension::Output, 8000.0, 0.0, 60.0);
        assert_eq!(limits, [one(CostDimension::Input, 40_000.0, 20_000.0, 30.0), output]);
    }

    #[test]
    fn one_bucket_for_all_is_one_of_requests() {
        let by = |limit, left, reset| {
            read_all(&[
                ("x-ratelimit-limit", limit),
                ("x-ratelimit-remaining", left),
                ("x-ratelimit-reset", reset),
            ])
        };
        assert_eq!(by("20", "0", "1700000030000"), [one(CostDimension::Requests, 20.0, 0.0, 30.0)]);
        assert_eq!(by("20", "0", "1700000030"), [one(CostDimension::Requests, 20.0, 0.0, 30.0)]);
        let ietf = [("ratelimit-limit", "100, 100;w=60"), ("ratelimit-remaining", "50")];
        assert_eq!(read_all(&ietf)[0].info.limit, Some(100.0));
    }

    #[test]
    fn values_that_no_limit_can_have_are_ignored() {
        for value in ["", "many", "NaN", "inf", "-5", "1e400"] {
            let both = [("x-ratelimit-limit", value), ("x-ratelimit-remaining", value)];
            assert_eq!(read_all(&both), [], "{value}");
        }
        let zero = read_all(&[("x-ratelimit-limit-requests", "0")]);
        assert_eq!(zero, [], "a limit of zero is ignored");
    }
}

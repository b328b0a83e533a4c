//! What the headers of an answer say of the provider's own limits.

use std::time::SystemTime;

use http::{HeaderMap, HeaderName};

use super::{
    rate_limit_info::{RateLimitInfo, Told},
    tokens::Kind,
};
use crate::outcome::{provider_time, time_until_reset};

/// The names of one limit: its size, what is left of it, and when it is full again.
struct Names {
    kind: Kind,
    limit: &'static str,
    remaining: &'static str,
    reset: &'static str,
}

/// The limits that providers tell of: the detailed ones first, of which a rougher one of the same kind says nothing new.
const NAMES: [Names; 8] = [
    Names {
        kind: Kind::Requests,
        limit: "x-ratelimit-limit-requests",
        remaining: "x-ratelimit-remaining-requests",
        reset: "x-ratelimit-reset-requests",
    },
    Names {
        kind: Kind::Tokens,
        limit: "x-ratelimit-limit-tokens",
        remaining: "x-ratelimit-remaining-tokens",
        reset: "x-ratelimit-reset-tokens",
    },
    Names {
        kind: Kind::Requests,
        limit: "anthropic-ratelimit-requests-limit",
        remaining: "anthropic-ratelimit-requests-remaining",
        reset: "anthropic-ratelimit-requests-reset",
    },
    Names {
        kind: Kind::Input,
        limit: "anthropic-ratelimit-input-tokens-limit",
        remaining: "anthropic-ratelimit-input-tokens-remaining",
        reset: "anthropic-ratelimit-input-tokens-reset",
    },
    Names {
        kind: Kind::Output,
        limit: "anthropic-ratelimit-output-tokens-limit",
        remaining: "anthropic-ratelimit-output-tokens-remaining",
        reset: "anthropic-ratelimit-output-tokens-reset",
    },
    Names {
        kind: Kind::Tokens,
        limit: "anthropic-ratelimit-tokens-limit",
        remaining: "anthropic-ratelimit-tokens-remaining",
        reset: "anthropic-ratelimit-tokens-reset",
    },
    Names {
        kind: Kind::Requests,
        limit: "x-ratelimit-limit",
        remaining: "x-ratelimit-remaining",
        reset: "x-ratelimit-reset",
    },
    Names {
        kind: Kind::Requests,
        limit: "ratelimit-limit",
        remaining: "ratelimit-remaining",
        reset: "ratelimit-reset",
    },
];

/// How all of their names begin. Most answers have none of them, and their other headers are not looked up one by one.
const BEGINNINGS: [&str; 3] = ["x-ratelimit-", "anthropic-ratelimit-", "ratelimit-"];

/// What the headers of an answer say that came `now`, the first of each kind.
pub(super) fn read(headers: &HeaderMap, now: impl FnOnce() -> SystemTime) -> Vec<Told> {
    let of_a_limit = |name: &HeaderName| BEGINNINGS.iter().any(|it| name.as_str().starts_with(it));
    if !headers.keys().any(of_a_limit) {
        return Vec::new();
    }
    let now = provider_time(headers, now());
    let mut told: Vec<Told> = Vec::new();
    for names in &NAMES {
        if told.iter().all(|told| told.kind != names.kind) {
            told.extend(names.read(headers, now));
        }
    }
    told
}

// === impl Names ===

impl Names {
    fn read(&self, headers: &HeaderMap, now: SystemTime) -> Option<Told> {
        let limit = number(headers, self.limit).filter(|limit| *limit >= 1.0);
        let remaining = number(headers, self.remaining);
        if limit.is_none() && remaining.is_none() {
            return None;
        }
        let reset = text(headers, self.reset).and_then(|reset| time_until_reset(reset, now));
        Some(Told { kind: self.kind, news: RateLimitInfo { limit, remaining, reset } })
    }
}

/// A number that can be one of a limit: Azure says `-1` for unknown.
fn number(headers: &HeaderMap, name: &str) -> Option<f64> {
    let text = text(headers, name)?;
    // A draft of the IETF has the policy behind the number: `100;w=60`, `100, 100;w=60`.
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

    fn told(headers: &[(&str, &str)]) -> Vec<Told> {
        let pair = |(name, value): &(&str, &str)| {
            (HeaderName::try_from(*name).unwrap(), value.parse().unwrap())
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        read(&headers.iter().map(pair).collect(), || now)
    }

    fn one(kind: Kind, limit: f64, remaining: f64, reset: f64) -> Told {
        let reset = Some(Duration::from_secs_f64(reset));
        Told { kind, news: RateLimitInfo { limit: Some(limit), remaining: Some(remaining), reset } }
    }

    #[test]
    fn openai_tells_requests_and_tokens_with_go_durations() {
        let told = told(&[
            ("x-ratelimit-limit-requests", "60"),
            ("x-ratelimit-remaining-requests", "59"),
            ("x-ratelimit-reset-requests", "1s"),
            ("x-ratelimit-limit-tokens", "150000"),
            ("x-ratelimit-remaining-tokens", "149984"),
            ("x-ratelimit-reset-tokens", "6m0s"),
        ]);
        let tokens = one(Kind::Tokens, 150_000.0, 149_984.0, 360.0);
        assert_eq!(told, [one(Kind::Requests, 60.0, 59.0, 1.0), tokens]);
    }

    #[test]
    fn azure_says_less_than_nothing_for_unknown() {
        let requests = [
            ("x-ratelimit-limit-requests", "-1"),
            ("x-ratelimit-remaining-requests", "-1"),
            ("x-ratelimit-reset-requests", "10"),
        ];
        assert_eq!(told(&requests), []);
        let left = told(&[("x-ratelimit-remaining-tokens", "7")]);
        assert_eq!(left[0].news, RateLimitInfo { limit: None, remaining: Some(7.0), reset: None });
    }

    #[test]
    fn anthropic_tells_input_and_output_apart_with_dates() {
        let told = told(&[
            ("anthropic-ratelimit-input-tokens-limit", "40000"),
            ("anthropic-ratelimit-input-tokens-remaining", "20000"),
            ("anthropic-ratelimit-input-tokens-reset", "2023-11-14T22:13:50Z"),
            ("anthropic-ratelimit-output-tokens-limit", "8000"),
            ("anthropic-ratelimit-output-tokens-remaining", "0"),
            ("anthropic-ratelimit-output-tokens-reset", "2023-11-14T22:14:20Z"),
        ]);
        let output = one(Kind::Output, 8000.0, 0.0, 60.0);
        assert_eq!(told, [one(Kind::Input, 40_000.0, 20_000.0, 30.0), output]);
    }

    #[test]
    fn one_bucket_for_all_is_one_of_requests() {
        let by = |limit, left, reset| {
            told(&[
                ("x-ratelimit-limit", limit),
                ("x-ratelimit-remaining", left),
                ("x-ratelimit-reset", reset),
            ])
        };
        assert_eq!(by("20", "0", "1700000030000"), [one(Kind::Requests, 20.0, 0.0, 30.0)]);
        assert_eq!(by("20", "0", "1700000030"), [one(Kind::Requests, 20.0, 0.0, 30.0)]);
        let ietf = [("ratelimit-limit", "100, 100;w=60"), ("ratelimit-remaining", "50")];
        assert_eq!(told(&ietf)[0].news.limit, Some(100.0));
    }

    #[test]
    fn rubbish_says_nothing() {
        for value in ["", "many", "NaN", "inf", "-5", "1e400"] {
            let both = [("x-ratelimit-limit", value), ("x-ratelimit-remaining", value)];
            assert_eq!(told(&both), [], "{value}");
        }
        let zero = told(&[("x-ratelimit-limit-requests", "0")]);
        assert_eq!(zero, [], "a limit of nothing is none");
    }
}

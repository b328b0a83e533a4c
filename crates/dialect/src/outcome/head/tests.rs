use std::time::Duration;

use http::HeaderValue;

use super::*;
use crate::outcome::{Rejection, classify};

const TABLE: &[(&str, Outcome)] = &[
    ("500 501 502 503 504 505 520 524 529 599 600 999", Outcome::Unavailable { wait: None }),
    ("408 409 421 425 498 100 101 103", Outcome::Unavailable { wait: None }),
    ("429", Outcome::RateLimited { wait: None }),
    ("402", Outcome::Rejected { why: Rejection::Payment }),
    ("413", Outcome::TooLarge),
    ("451", Outcome::Blocked),
    ("401", Outcome::Rejected { why: Rejection::Credential }),
    ("403", Outcome::Rejected { why: Rejection::Permission }),
    ("407", Outcome::Rejected { why: Rejection::Gateway }),
    ("404 410", Outcome::Rejected { why: Rejection::Model }),
    ("400 422", Outcome::Rejected { why: Rejection::Request }),
    ("300 301 302 307 308 405 406 411 412 414 415 416 418 423 424 426 431 499", Outcome::Declined),
    ("200 201 204 206 299 304", Outcome::Success),
];

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap()
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(n, v)| (n.parse().unwrap(), HeaderValue::from_static(v))).collect()
}

/// All outcomes: the match fails to compile when one is added.
fn all() -> Vec<Outcome> {
    use crate::outcome::Phase;
    let next = |outcome: Outcome| match outcome {
        Outcome::Success => Some(Outcome::Unavailable { wait: None }),
        Outcome::Unavailable { .. } => Some(Outcome::RateLimited { wait: None }),
        Outcome::RateLimited { .. } => Some(Outcome::QuotaExhausted { wait: None }),
        Outcome::QuotaExhausted { .. } => Some(Outcome::Unreachable),
        Outcome::Unreachable => Some(Outcome::ConnectionLost),
        Outcome::ConnectionLost => Some(Outcome::TimedOut { phase: Phase::Idle }),
        Outcome::TimedOut { .. } => Some(Outcome::Truncated),
        Outcome::Truncated => Some(Outcome::Empty),
        Outcome::Empty => Some(Outcome::Malformed),
        Outcome::Malformed => Some(Outcome::Unfinished),
        Outcome::Unfinished => Some(Outcome::TooLarge),
        Outcome::TooLarge => Some(Outcome::Blocked),
        Outcome::Blocked => Some(Outcome::Rejected { why: Rejection::Credential }),
        Outcome::Rejected { why: Rejection::Credential } => {
            Some(Outcome::Rejected { why: Rejection::Payment })
        }
        Outcome::Rejected { why: Rejection::Payment } => {
            Some(Outcome::Rejected { why: Rejection::Permission })
        }
        Outcome::Rejected { why: Rejection::Permission } => {
            Some(Outcome::Rejected { why: Rejection::Gateway })
        }
        Outcome::Rejected { why: Rejection::Gateway } => {
            Some(Outcome::Rejected { why: Rejection::Model })
        }
        Outcome::Rejected { why: Rejection::Model } => {
            Some(Outcome::Rejected { why: Rejection::Parameter })
        }
        Outcome::Rejected { why: Rejection::Parameter } => {
            Some(Outcome::Rejected { why: Rejection::Request })
        }
        Outcome::Rejected { why: Rejection::Request } => Some(Outcome::Declined),
        Outcome::Declined => Some(Outcome::NotSent { retry_in: None }),
        Outcome::NotSent { .. } => Some(Outcome::Cancelled),
        Outcome::Cancelled => None,
    };
    std::iter::successors(Some(Outcome::Success), |outcome| next(*outcome)).collect()
}

#[test]
fn no_outcome_is_both_retryable_and_permanent() {
    assert_eq!(all().len(), 23);
    for outcome in all() {
        assert!(!(outcome.is_retryable() && outcome.is_permanent()), "{outcome:?}");
        assert!(!outcome.is_success() || !(outcome.is_retryable() || outcome.is_permanent()));
    }
}

#[test]
fn every_status_means_what_the_table_says() {
    for (codes, outcome) in TABLE {
        for code in codes.split(' ') {
            let verdict = classify_head(status(code.parse().unwrap()), &HeaderMap::new());
            assert_eq!(verdict.outcome(), *outcome, "{code}");
            assert_eq!(verdict.code(), None);
        }
    }
}

#[test]
fn no_status_but_a_2xx_and_304_is_a_success() {
    for code in 100..1000 {
        let verdict = classify_head(status(code), &HeaderMap::new());
        assert_eq!(
            verdict.outcome().is_success(),
            (200..300).contains(&code) || code == 304,
            "{code}"
        );
    }
}

#[test]
fn a_wait_belongs_to_what_passes() {
    let after = headers(&[("retry-after", "7")]);
    let wait = Some(Duration::from_secs(7));
    assert_eq!(classify_head(status(429), &after).outcome(), Outcome::RateLimited { wait });
    assert_eq!(classify_head(status(503), &after).outcome(), Outcome::Unavailable { wait });
    let gone = |after| classify(status(402), after, br#"{"error":{"code":"insufficient_quota"}}"#);
    assert_eq!(gone(&after).outcome(), Outcome::QuotaExhausted { wait: None });
    let after = headers(&[("retry-after", "3600")]);
    let wait = Some(Duration::from_secs(3600));
    assert_eq!(gone(&after).outcome(), Outcome::QuotaExhausted { wait });
}

#[test]
fn the_reset_of_a_bucket_is_a_wait_of_a_rate_limit_only() {
    let empty =
        headers(&[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "6s")]);
    let wait = Some(Duration::from_secs(6));
    assert_eq!(classify_head(status(429), &empty).outcome(), Outcome::RateLimited { wait });
    assert_eq!(classify_head(status(500), &empty).outcome(), Outcome::Unavailable { wait: None });
}

#[test]
fn do_not_retry_keeps_the_outcome_and_forbids_the_retry() {
    let no = headers(&[("x-should-retry", "false")]);
    for code in [408, 429, 500, 529] {
        let verdict = classify_head(status(code), &no);
        assert_eq!(verdict.outcome(), classify_head(status(code), &HeaderMap::new()).outcome());
        assert!(verdict.outcome().is_retryable() && !verdict.is_retryable(), "{code}");
    }
    // A transient code decides the outcome, but `x-should-retry: false` still forbids the retry.
    let verdict = classify(status(429), &no, br#"{"error":{"code":"slow_down"}}"#);
    assert_eq!(verdict.outcome(), Outcome::RateLimited { wait: None });
    assert!(!verdict.is_retryable());
}

#[test]
fn do_retry_overrides_the_status_but_no_code_and_no_sentence() {
    let yes = headers(&[("x-should-retry", "true"), ("retry-after", "2")]);
    let wait = Some(Duration::from_secs(2));
    for code in [400, 401, 402, 404, 418, 422] {
        assert_eq!(
            classify_head(status(code), &yes).outcome(),
            Outcome::Unavailable { wait },
            "{code}"
        );
    }
    assert_eq!(classify_head(status(429), &yes).outcome(), Outcome::RateLimited { wait });
    for (body, outcome) in [
        (r#"{"error":{"code":"insufficient_quota"}}"#, Outcome::QuotaExhausted { wait: None }),
        (r#"{"error":{"code":"context_length_exceeded"}}"#, Outcome::TooLarge),
        (r#"{"error":{"message":"prompt is too long: 9 tokens"}}"#, Outcome::TooLarge),
    ] {
        assert_eq!(classify(status(400), &yes, body.as_bytes()).outcome(), outcome, "{body}");
    }
    assert_eq!(classify_head(status(413), &yes).outcome(), Outcome::TooLarge);
}

#[test]
fn the_wish_is_exact_and_lower_case() {
    for other in ["True", "FALSE", "1", "0", "", "no", "false "] {
        let headers = headers(&[("x-should-retry", other)]);
        assert!(classify_head(status(500), &headers).is_retryable(), "{other}");
        assert!(!classify_head(status(400), &headers).is_retryable(), "{other}");
    }
}

#[test]
fn an_aws_error_is_named_in_a_header() {
    let header = |name| headers(&[("x-amzn-errortype", name)]);
    let slow = header("ThrottlingException:http://internal.amazon.com/");
    let verdict = classify_head(status(400), &slow);
    assert_eq!(verdict.outcome(), Outcome::RateLimited { wait: None });
    assert_eq!(verdict.code().unwrap().as_str(), "ThrottlingException");
    let name = "com.amazonaws.bedrock#ServiceQuotaExceededException";
    assert_eq!(
        classify_head(status(400), &header(name)).outcome(),
        Outcome::RateLimited { wait: None }
    );
}

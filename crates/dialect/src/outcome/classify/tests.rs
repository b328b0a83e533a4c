use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::outcome::{CodeClass, Rejection};

#[test]
fn an_error_inside_a_stream_is_never_a_success() {
    for (json, outcome) in [
        (
            r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#,
            Outcome::Unavailable { wait: None },
        ),
        (
            r#"{"type":"error","error":{"type":"rate_limit_error","message":"m"}}"#,
            Outcome::RateLimited { wait: None },
        ),
        (
            r#"{"type":"error","error":{"type":"invalid_request_error"}}"#,
            Outcome::Rejected { why: Rejection::Request },
        ),
        (
            r#"{"error":{"code":429,"message":"Please try again in 9s"}}"#,
            Outcome::RateLimited { wait: Some(Duration::from_secs(9)) },
        ),
        (
            r#"{"choices":[{"error":{"code":502,"message":"m"},"finish_reason":"error"}]}"#,
            Outcome::Unavailable { wait: None },
        ),
        (r#"{"choices":[{"finish_reason":"error"}]}"#, Outcome::Unavailable { wait: None }),
        (r#"{"response":{"error":{"code":"server_error"}}}"#, Outcome::Unavailable { wait: None }),
        (r#"{"response":{"error":{"code":"invalid_prompt"}}}"#, Outcome::Blocked),
        (r#"{"type":"error","code":"rate_limit_exceeded"}"#, Outcome::RateLimited { wait: None }),
        (r#"{"error":{"message":"maximum context length is 9","code":400}}"#, Outcome::TooLarge),
        (r#"{"error":{"code":"insufficient_quota"}}"#, Outcome::QuotaExhausted { wait: None }),
        (r#"{"error":{"code":200}}"#, Outcome::Unavailable { wait: None }),
        (
            r#"{"error":"an error was encountered while running the model"}"#,
            Outcome::Unavailable { wait: None },
        ),
        ("{}", Outcome::Unavailable { wait: None }),
        ("overloaded", Outcome::Unavailable { wait: None }),
        ("", Outcome::Unavailable { wait: None }),
    ] {
        assert_eq!(in_stream(&ErrorCodeTable::TABLE, json.as_bytes()).outcome(), outcome, "{json}");
    }
    let codes = ErrorCodeTable::default().with("c", CodeClass::Blocked);
    assert_eq!(in_stream(&codes, br#"{"error":{"code":"c"}}"#).outcome(), Outcome::Blocked);
}

proptest! {
    #[test]
    fn no_answer_panics_and_no_error_is_a_success(status in 100..1000_u16, body in ".{0,99}", name in 0..4_usize, value in "[ -~]{0,30}") {
        let mut headers = HeaderMap::new();
        let name = ["retry-after", "x-should-retry", "x-amzn-errortype", "retry-after-ms"][name];
        headers.insert(name, value.parse().unwrap());
        let verdict = classify(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes());
        prop_assert_eq!(verdict.outcome().is_success(), (200..300).contains(&status) || status == 304);
        prop_assert!(!in_stream(&ErrorCodeTable::TABLE, body.as_bytes()).outcome().is_success());
    }
}

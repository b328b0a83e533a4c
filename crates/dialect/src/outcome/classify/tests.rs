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
        (r#"{"type":"error","error":{"type":"invalid_request_error"}}"#, Outcome::Declined),
        (
            r#"{"error":{"message":"messages[3].content: too short","code":400}}"#,
            Outcome::Rejected { why: Rejection::Request },
        ),
        (
            r#"{"type":"error","error":{"type":"internal_error","message":"[HTTP 429] <html>"}}"#,
            Outcome::RateLimited { wait: None },
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

    #[test]
    fn a_4xx_that_does_not_say_what_is_wrong_blames_nobody_and_stops_nothing(
        status in prop::sample::select(vec![400_u16, 405, 406, 411, 412, 414, 415, 416, 417, 418, 422, 423, 424, 426, 428, 431, 444, 460, 499]),
        code in "(zx|qj)[a-z]{3,9}_(vb|kw)[a-z]{3,9}",
        words in prop::collection::vec(prop::sample::select(vec!["the", "upstream", "provider", "did", "something", "odd", "today", "oops", "request", "failed", "model", "server", "error", "7"]), 0..12),
        shape in 0..5_usize,
    ) {
        let text = words.join(" ");
        let body = match shape {
            0 => serde_json::json!({"error": {"message": text, "code": code, "type": "invalid_request_error"}}).to_string(),
            1 => serde_json::json!({"error": {"message": text, "type": code, "code": status}}).to_string(),
            2 => serde_json::json!({"detail": text}).to_string(),
            3 => format!("<html>{text}</html>"),
            _ => text,
        };
        let verdict = classify(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes());
        prop_assert_eq!(verdict.outcome(), Outcome::Declined, "{}", body);
        prop_assert!(!verdict.is_retryable() && verdict.outcome().allows_fallback());
    }

    #[test]
    fn a_request_is_blamed_where_a_field_a_code_or_a_word_says_so(
        status in prop::sample::select(vec![400_u16, 405, 415, 422]), field in "[a-z]{1,9}", at in 0..99_u8, shape in 0..5_usize,
    ) {
        let body = match shape {
            0 => serde_json::json!({"detail": [{"loc": ["body", field], "msg": "m", "type": "t"}]}),
            1 => serde_json::json!({"error": {"code": 400, "message": "m", "status": "INVALID_ARGUMENT", "details": [{"fieldViolations": [{"field": field}]}]}}),
            2 => serde_json::json!({"error": {"message": "m", "param": format!("{field}_x"), "code": null}}),
            3 => serde_json::json!({"error": {"message": format!("messages.{at}.{field}: odd")}}),
            _ => serde_json::json!({"error": {"message": format!("`{field}` must be a number")}}),
        };
        let verdict = classify(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.to_string().as_bytes());
        prop_assert_eq!(verdict.outcome(), Outcome::Rejected { why: Rejection::Request }, "{}", body);
    }
}

#[test]
fn what_another_target_may_take_or_answer_moves_on() {
    let region = r#"{"code":400,"message":"User location is not supported for the API use.","status":"FAILED_PRECONDITION"}"#;
    let wrapped = serde_json::json!({"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": format!("{{\"error\":{region}}}")}}}).to_string();
    let parameter = Outcome::Rejected { why: Rejection::Parameter };
    let permission = Outcome::Rejected { why: Rejection::Permission };
    for (status, body, outcome) in [
        (400, format!(r#"{{"error":{region}}}"#), permission),
        (400, wrapped, permission),
        (400, r#"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model.","param":"max_tokens","code":"unsupported_parameter"}}"#.into(), parameter),
        (422, r#"{"detail":[{"type":"extra_forbidden","loc":["body","x"],"msg":"Extra inputs are not permitted"}]}"#.into(), parameter),
        (400, r#"{"error":{"message":"m","param":"max_tokens","code":"invalid_value"}}"#.into(), Outcome::Rejected { why: Rejection::Request }),
        (400, r#"{"error":{"message":"max_tokens is too large: 9. This model supports at most 8 completion tokens","code":"invalid_value"}}"#.into(), parameter),
        (424, String::new(), Outcome::Declined),
        (424, r#"{"__type":"ModelErrorException"}"#.into(), Outcome::Unavailable { wait: None }),
        (499, r#"{"error":{"code":499,"status":"CANCELLED"}}"#.into(), Outcome::Unavailable { wait: None }),
        (400, r#"{"error":{"code":"tool_use_failed","type":"invalid_request_error"}}"#.into(), Outcome::Unfinished),
        (400, String::new(), Outcome::Declined),
    ] {
        let verdict = classify(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes());
        assert_eq!(verdict.outcome(), outcome, "{status} {body}");
        assert!(verdict.outcome().allows_fallback() || outcome == Outcome::Rejected { why: Rejection::Request });
    }
}

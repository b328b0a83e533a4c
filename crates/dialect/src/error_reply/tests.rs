use super::*;
use crate::{StreamMonitor, outcome::ErrorCodeTable};

const DIALECTS: [Dialect; 5] = [
    Dialect::OpenAiChat,
    Dialect::OpenAiResponses,
    Dialect::Anthropic,
    Dialect::Gemini,
    Dialect::Ollama,
];

fn error(status: u16) -> ErrorReply {
    ErrorReply::new(StatusCode::from_u16(status).unwrap(), "evenkeel_x", "a \"message\"\n")
}

#[test]
fn an_error_event_is_an_error_to_who_reads_the_dialect() {
    for dialect in DIALECTS {
        for status in [400, 403, 413, 429, 502, 503, 504] {
            let mut monitor = StreamMonitor::new(dialect, &ErrorCodeTable::default());
            let summary = monitor.feed(error(status).event(dialect).as_bytes());
            // The API of responses ends a failed stream with two events.
            let events = if dialect == Dialect::OpenAiResponses { 2 } else { 1 };
            assert_eq!((summary.events, summary.content), (events, 0), "{dialect:?} {status}");
            assert!(summary.failed.is_some(), "{dialect:?} {status}");
        }
    }
}

#[test]
fn the_status_chooses_the_type_of_each_dialect() {
    for (dialect, status, body) in [
        (
            Dialect::OpenAiChat,
            429,
            r#"{"error":{"code":"evenkeel_x","message":"a \"message\"\n","param":null,"type":"rate_limit_error"}}"#,
        ),
        (
            Dialect::OpenAiResponses,
            502,
            r#"{"error":{"code":"evenkeel_x","message":"a \"message\"\n","param":null,"type":"server_error"}}"#,
        ),
        (
            Dialect::Anthropic,
            503,
            r#"{"error":{"message":"a \"message\"\n","type":"overloaded_error"},"type":"error"}"#,
        ),
        (
            Dialect::Gemini,
            504,
            r#"{"error":{"code":504,"message":"a \"message\"\n","status":"DEADLINE_EXCEEDED"}}"#,
        ),
        (Dialect::Ollama, 400, r#"{"error":"a \"message\"\n"}"#),
    ] {
        assert_eq!(error(status).body(dialect), body);
    }
}

#[test]
fn an_outcome_has_the_status_that_says_the_same() {
    let limited = Outcome::RateLimited { wait: None };
    for (outcome, status) in [(limited, 429), (Outcome::TooLarge, 413), (Outcome::Truncated, 502)] {
        assert_eq!(ErrorReply::of(outcome, "c", "m").status.as_u16(), status, "{outcome}");
    }
}

//! The outcomes of answers of real providers.
//!
//! `provider_errors.jsonl` has one row for each known error; all rows are asserted except those on which the documentation is
//! silent (`?`). Each row is rendered in the wire format of its provider, once for each alternative. `retry_headers.jsonl` has
//! the headers of a 429 with the wait that the official clients compute from them; here the test asserts whether a retry is
//! allowed, and the length of the wait, because the same seconds are parsed here.

// The lint exempts only test functions, not their helpers.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use evenkeel_dialect::outcome::{
    CodeClass, ErrorCodeTable, Outcome, Rejection, Verdict, classify, classify_with,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

const ERRORS: &str = include_str!("data/provider_errors.jsonl");
const HEADERS: &str = include_str!("data/retry_headers.jsonl");

/// An answer as it is on the wire.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

/// One error of a row, with each field at one of its alternatives.
struct Fault<'a> {
    row: &'a Value,
    status: u16,
    code: Option<&'a str>,
    kind: Option<&'a str>,
}

// === impl Answer ===

impl Answer {
    fn new(status: u16, body: Value) -> Self {
        Self { status, headers: HeaderMap::new(), body }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        self
    }

    fn verdict(&self) -> Verdict {
        let status = StatusCode::from_u16(self.status).unwrap();
        classify(status, &self.headers, self.body.to_string().as_bytes())
    }
}

// === impl Fault ===

impl Fault<'_> {
    fn text(&self, field: &str) -> &str {
        self.row[field].as_str().unwrap_or_default()
    }

    /// The answers in which the provider may send the error.
    fn answers(&self) -> Vec<Answer> {
        let Self { status, code, kind, .. } = *self;
        let message = self.text("msg");
        let plain =
            json!({"message": message, "type": kind, "param": self.row["param"], "code": code});
        if self.text("status").starts_with("200 response") {
            let event = json!({"type": "response.failed", "response": {"status": "failed", "error": plain}});
            return vec![
                Answer::new(200, event),
                Answer::new(
                    200,
                    json!({"object": "response", "status": "failed", "error": {"code": code}}),
                ),
                Answer::new(200, json!({"type": "error", "code": code, "message": ""})),
                Answer::new(
                    200,
                    json!({"type": "error", "error": {"code": code, "type": "error"}}),
                ),
            ];
        }
        if let Some((field, _)) = self.text("field").split_once(".error.code=") {
            let filter = json!({"error": {"code": "content_filter_error", "message": "m"}});
            let choice = json!({"message": {"content": "Hello"}, field: filter});
            return vec![Answer::new(status, json!({"choices": [choice]}))];
        }
        match self.text("provider") {
            "anthropic" => {
                let details = self.row.get("details").map(|code| json!({"error_code": code}));
                let error = json!({"type": kind, "message": message, "details": details});
                vec![Answer::new(
                    status,
                    json!({"type": "error", "error": error, "request_id": "r"}),
                )]
            }
            "gemini" | "vertex" => self.google(),
            "bedrock" => {
                let name = code.unwrap_or_default();
                vec![
                    Answer::new(status, json!({"message": ""}))
                        .with("x-amzn-errortype", &format!("{name}:http://a/")),
                    Answer::new(
                        status,
                        json!({"__type": format!("com.amazonaws#{name}"), "message": ""}),
                    ),
                    Answer::new(status, json!({"code": name, "message": ""})),
                ]
            }
            "vllm" => vec![
                Answer::new(status, json!({"error": {"message": "", "type": "T", "code": status}})),
                Answer::new(
                    status,
                    json!({"object": "error", "message": "", "type": "T", "code": status}),
                ),
            ],
            "openrouter" => {
                let code = code.or(self.row["error_type"].as_str()).unwrap_or_default();
                self.openrouter(code)
            }
            "mistral" => {
                vec![Answer::new(status, json!({"object": "error", "message": "", "code": "1"}))]
            }
            "cohere" => vec![Answer::new(status, json!({"message": message}))],
            "ollama" => vec![Answer::new(status, json!({"error": message}))],
            "azure-apim" => vec![Answer::new(status, json!({"statusCode": status, "message": ""}))],
            _ => vec![Answer::new(status, json!({"error": plain}))],
        }
    }

    fn google(&self) -> Vec<Answer> {
        let quota = self.text("quotaId").replace('*', "Requests");
        let error = json!({"error": {
            "code": self.status,
            "message": self.text("msg"),
            "status": self.code,
            "details": [
                {"@type": "QuotaFailure", "violations": [{"quotaId": quota}]},
                {"@type": "ErrorInfo", "reason": self.text("details")},
            ],
        }});
        vec![Answer::new(self.status, error.clone()), Answer::new(self.status, json!([error]))]
    }

    fn openrouter(&self, code: &str) -> Vec<Answer> {
        let metadata = json!({"error_type": code});
        let number = if self.status == 200 { 502 } else { self.status };
        let error = json!({"code": number, "message": "m", "metadata": metadata});
        vec![
            Answer::new(self.status, json!({"error": error})),
            Answer::new(200, json!({"choices": [{"error": error, "finish_reason": "error"}]})),
        ]
    }
}

/// The alternatives of a field; one `None` if the row has none.
fn alternatives<'a>(row: &'a Value, field: &str) -> Vec<Option<&'a str>> {
    row[field].as_str().map_or(vec![None], |text| text.split('|').map(Some).collect())
}

fn statuses(row: &Value) -> Vec<u16> {
    let text = row["status"].as_str().map_or(row["status"].to_string(), str::to_owned);
    text.split('|').map(|status| status[..3].parse().unwrap()).collect()
}

/// Replaces the `*` of a row; the part after a space is a remark.
fn spelled(code: Option<&str>) -> Option<String> {
    code.map(|code| code.replace('*', "_format").split(" (").next().unwrap_or_default().to_owned())
}

#[test]
fn every_known_error_of_every_provider_is_classified() {
    let mut asserted = 0;
    for line in ERRORS.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let field = if row["code"].is_null() { "error_type" } else { "code" };
        for status in statuses(&row) {
            for code in alternatives(&row, field).into_iter().map(spelled) {
                for kind in alternatives(&row, "type") {
                    let fault = Fault { row: &row, status, code: code.as_deref(), kind };
                    fault.answers().iter().for_each(|answer| expect(&row, answer));
                }
            }
        }
        asserted += usize::from(row["retry"] != "?");
    }
    assert_eq!((asserted, ERRORS.lines().count()), (63, 66));
}

fn expect(row: &Value, answer: &Answer) {
    let verdict = answer.verdict();
    let again = match row["retry"].as_str().unwrap() {
        "Y" | "W" => true,
        "M" | "N" => false,
        _ => return,
    };
    assert_eq!(verdict.is_retryable(), again, "{row}\n{answer:?}\n{verdict:?}");
    // A filter that could not run leaves a usable answer.
    let usable = row["field"].is_string();
    assert_eq!(verdict.outcome().is_success(), usable, "{row}\n{answer:?}");
}

#[test]
fn the_known_errors_have_their_names() {
    for (provider, code, name) in [
        ("openai", "insufficient_quota", "quota_exhausted"),
        ("openai", "organization_spend_limit_exceeded", "quota_exhausted"),
        ("openai", "slow_down", "rate_limited"),
        ("openai", "context_length_exceeded", "too_large"),
        ("openai", "invalid_prompt", "blocked"),
        ("openai", "model_not_found", "rejected"),
        ("openai", "content_policy_violation", "blocked"),
        ("azure-openai", "429", "rate_limited"),
        ("azure-openai", "RateLimitExceeded", "rate_limited"),
        ("azure-openai", "content_filter", "blocked"),
        ("azure-openai", "DeploymentNotFound", "rejected"),
        ("openrouter", "in_flight_budget_exhausted", "unavailable"),
        ("openrouter", "payment_required", "quota_exhausted"),
        ("bedrock", "ThrottlingException", "rate_limited"),
    ] {
        let row = json!({"provider": provider});
        for answer in (Fault { row: &row, status: 400, code: Some(code), kind: None }).answers() {
            assert_eq!(answer.verdict().outcome().name(), name, "{answer:?}");
            assert_eq!(answer.verdict().code().unwrap().as_str(), code, "{answer:?}");
        }
    }
}

#[test]
fn the_headers_of_a_429_are_honoured_as_the_official_clients_do() {
    for line in HEADERS.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let mut answer = Answer::new(429, json!({}));
        for (name, value) in row["headers"].as_object().unwrap() {
            let name = HeaderName::try_from(name).unwrap();
            answer.headers.insert(name, value.as_str().unwrap().parse().unwrap());
        }
        let verdict = answer.verdict();
        assert_eq!(verdict.is_retryable(), row["anthropic"]["retry"].as_bool().unwrap(), "{row}");
        // Dates are asserted in the unit tests, where the time can be set.
        let dated = line.contains(" Sep ") || line.contains("-Sep-");
        // If the best source is not usable, the next one is read; the official clients stop there.
        let second = verdict.outcome().wait() == Some(Duration::from_secs(20));
        match row["anthropic"]["parsed_s"].as_f64() {
            _ if dated => {}
            Some(seconds) if seconds > 0.0 => {
                let wait = Duration::from_secs_f64(seconds.min(86400.0));
                assert_eq!(verdict.outcome().wait(), Some(wait), "{row}");
            }
            _ if second => assert_eq!(row["headers"]["retry-after"], "20"),
            _ => assert_eq!(verdict.outcome().wait(), None, "{row}"),
        }
    }
}

#[test]
fn an_exhausted_quota_is_no_rate_limit_even_with_a_retry_after() {
    for body in [
        json!({"error": {"code": "insufficient_quota", "type": "insufficient_quota"}}),
        json!({"error": {"code": null, "type": "insufficient_quota"}}),
        json!({"error": {"code": "rate_limit_exceeded", "type": "insufficient_quota"}}),
        json!({"error": {"code": 429, "type": "insufficient_quota"}}),
    ] {
        let verdict = Answer::new(429, body).with("retry-after", "20").verdict();
        assert_eq!(verdict.outcome(), Outcome::QuotaExhausted { wait: None });
        assert_eq!(verdict.code().unwrap().as_str(), "insufficient_quota");
        assert!(!verdict.is_retryable());
    }
}

#[test]
fn a_429_of_an_unexpected_shape_keeps_its_status_and_its_wait() {
    let wait = Some(Duration::from_secs(3));
    for body in [
        "",
        "slow!",
        "<html>429</html>",
        "[]",
        "[[1]]",
        "{}",
        "7",
        "null",
        "{\"error\":[]}",
        "{\"error\":{\"code\":{}}}",
        "{\"err",
    ] {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_static("3"));
        let verdict = classify(StatusCode::TOO_MANY_REQUESTS, &headers, body.as_bytes());
        assert_eq!(verdict.outcome(), Outcome::RateLimited { wait }, "{body}");
    }
    let not_utf8 = classify(StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new(), b"\xff\xfe{");
    assert_eq!(not_utf8.outcome(), Outcome::RateLimited { wait: None });
}

#[test]
fn an_overload_inside_a_200_is_no_success() {
    for body in [
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
        json!({"error": {"code": 502, "message": "Provider returned error"}}),
        json!({"choices": [{"error": {"code": 502, "message": "m"}}]}),
    ] {
        assert_eq!(Answer::new(200, body).verdict().outcome(), Outcome::Unavailable { wait: None });
    }
}

#[test]
fn a_context_overflow_is_too_large_by_code_and_by_text() {
    for error in [
        json!({"code": "context_length_exceeded", "type": "invalid_request_error"}),
        json!({"code": null, "message": "This model's maximum context length is 8192 tokens."}),
        json!({"code": 400, "type": "BadRequestError", "message": "This model's maximum context length is 8192 tokens."}),
        json!({"type": "invalid_request_error", "message": "prompt is too long: 9 tokens > 8 maximum"}),
    ] {
        let verdict = Answer::new(400, json!({"error": error})).verdict();
        assert_eq!(verdict.outcome(), Outcome::TooLarge, "{error}");
    }
    let html =
        classify(StatusCode::PAYLOAD_TOO_LARGE, &HeaderMap::new(), b"<html>too large</html>");
    assert_eq!(html.outcome(), Outcome::TooLarge);
    let limit =
        json!({"error": {"code": "rate_limit_exceeded", "message": "Too many tokens per minute"}});
    assert_eq!(Answer::new(429, limit).verdict().outcome(), Outcome::RateLimited { wait: None });
}

#[test]
fn a_request_larger_than_a_whole_limit_is_not_tried_again() {
    let message =
        "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 60000.";
    let error =
        json!({"error": {"code": "rate_limit_exceeded", "type": "tokens", "message": message}});
    for status in [413, 429] {
        assert_eq!(Answer::new(status, error.clone()).verdict().outcome(), Outcome::TooLarge);
    }
}

#[test]
fn a_refusal_keeps_its_reason_and_is_not_routed_around() {
    let body = json!({"error": {"code": "content_policy_violation", "message": "m", "type": "invalid_request_error"}});
    let verdict = Answer::new(400, body).verdict();
    assert_eq!(verdict.outcome(), Outcome::Blocked);
    assert_eq!(verdict.code().unwrap().as_str(), "content_policy_violation");
    assert!(!verdict.outcome().allows_fallback());
    let moderated = json!({"error": {"code": 403, "message": "m", "metadata": {"reasons": ["violence"], "flagged_input": "x"}}});
    assert_eq!(Answer::new(403, moderated).verdict().outcome(), Outcome::Blocked);
}

#[test]
fn credits_that_are_used_up_are_known_by_text_behind_any_status() {
    let text =
        "Your team has either used all available credits or reached its monthly spending limit.";
    for status in [400, 403, 429] {
        let body = json!({"code": "The caller does not have permission", "error": text});
        assert_eq!(
            Answer::new(status, body).verdict().outcome(),
            Outcome::QuotaExhausted { wait: None }
        );
    }
}

#[test]
fn a_limit_per_day_waits_longer_than_a_limit_per_minute() {
    let google = |quotas: &[&str]| {
        let violations: Vec<_> = quotas.iter().map(|id| json!({"quotaId": id})).collect();
        Answer::new(429, json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Please retry in 9s.", "details": [
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": violations},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "8.5s"},
        ]}}))
        .verdict()
        .outcome()
    };
    let (minute, day) = (
        "GenerateRequestsPerMinutePerProjectPerModel",
        "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
    );
    assert_eq!(google(&[minute]), Outcome::RateLimited { wait: Some(Duration::from_millis(8500)) });
    // At midnight in California, whatever the delay in the body.
    let Outcome::QuotaExhausted { wait: Some(wait) } = google(&[minute, day]) else {
        panic!("{:?}", google(&[minute, day]))
    };
    assert!(wait <= Duration::from_secs(24 * 3600) && wait != Duration::from_millis(8500));
    let cap = json!({"type": "error", "error": {"type": "rate_limit_error", "message": "m", "details": {"error_code": "enforced_spend_limit_reached"}}});
    // At the first of the month, with a wait of at most a day.
    let cap = Answer::new(429, cap).verdict().outcome();
    assert!(
        matches!(cap, Outcome::QuotaExhausted { wait: Some(wait) } if wait <= Duration::from_secs(24 * 3600))
    );
}

#[test]
fn the_status_in_a_body_counts_with_a_bare_400_or_500_only() {
    let verdict = |status, code: Value| {
        Answer::new(status, json!({"error": {"code": code}})).verdict().outcome()
    };
    for bare in [400, 500] {
        assert_eq!(verdict(bare, json!(429)), Outcome::RateLimited { wait: None });
        assert_eq!(verdict(bare, json!("503")), Outcome::Unavailable { wait: None });
        assert_eq!(verdict(bare, json!("overloaded_error")), Outcome::Unavailable { wait: None });
        assert_eq!(
            verdict(bare, json!("not_found_error")),
            Outcome::Rejected { why: Rejection::Model }
        );
    }
    assert_eq!(verdict(400, json!(500)), Outcome::Declined);
    assert_eq!(verdict(500, json!("invalid_request_error")), Outcome::Unavailable { wait: None });
    assert_eq!(
        verdict(401, json!("invalid_request_error")),
        Outcome::Rejected { why: Rejection::Credential }
    );
    assert_eq!(verdict(402, json!("RESOURCE_EXHAUSTED")), Outcome::QuotaExhausted { wait: None });
    assert_eq!(verdict(503, json!(400)), Outcome::Unavailable { wait: None });
}

#[test]
fn an_unknown_code_falls_back_to_the_status_and_is_still_reported() {
    let verdict = Answer::new(503, json!({"error": {"code": "tuesday", "message": "m"}})).verdict();
    assert_eq!(verdict.outcome(), Outcome::Unavailable { wait: None });
    assert_eq!(verdict.code().unwrap().as_str(), "tuesday");
    let prose =
        Answer::new(500, json!({"error": {"code": "my key is sk-123, so", "message": "my key"}}));
    assert_eq!(prose.verdict().code(), None);
    assert!(!format!("{:?}", prose.verdict()).contains("key"));
}

#[test]
fn custom_codes_take_precedence_over_the_table() {
    let codes = ErrorCodeTable::default()
        .with("tuesday", CodeClass::RateLimited)
        .with("slow_down", CodeClass::Rejected(Rejection::Request))
        .with("asleep", CodeClass::Status(503));
    let of = |status, code: &str| {
        let body = json!({"error": {"code": code}}).to_string();
        let status = StatusCode::from_u16(status).unwrap();
        classify_with(&codes, status, &HeaderMap::new(), body.as_bytes()).outcome()
    };
    assert_eq!(of(400, "tuesday"), Outcome::RateLimited { wait: None });
    assert_eq!(of(429, "slow_down"), Outcome::Rejected { why: Rejection::Request });
    assert_eq!(of(400, "asleep"), Outcome::Unavailable { wait: None });
    assert_eq!(of(429, "asleep"), Outcome::RateLimited { wait: None });
}

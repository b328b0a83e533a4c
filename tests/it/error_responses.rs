//! Error responses, hints and rate-limit headers, row by row, through the public [`classify`]. The cores have more detailed
//! tests; the streams of each API are in `stream_faults` and `dialect`.

use std::time::Duration;

use evenkeel::outcome::{Outcome, Rejection, Verdict, classify};
use http::{HeaderMap, HeaderName, StatusCode};

use crate::support::{ms, secs};

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&str, &str)| {
        (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())
    };
    pairs.iter().map(pair).collect()
}

fn judge(status: u16, pairs: &[(&str, &str)], body: &str) -> Verdict {
    classify(StatusCode::from_u16(status).unwrap(), &headers(pairs), body.as_bytes())
}

fn down() -> Outcome {
    Outcome::Unavailable { wait: None }
}

fn limited() -> Outcome {
    Outcome::RateLimited { wait: None }
}

fn gone() -> Outcome {
    Outcome::QuotaExhausted { wait: None }
}

#[test]
fn the_error_body_of_every_provider_is_read() {
    let model = Outcome::Rejected { why: Rejection::Model };
    for (provider, status, body, outcome, code) in [
        (
            "openai",
            429,
            r#"{"error":{"message":"m","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#,
            gone(),
            "insufficient_quota",
        ),
        (
            "groq",
            429,
            r#"{"error":{"message":"m","type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#,
            limited(),
            "rate_limit_exceeded",
        ),
        (
            "deepseek",
            402,
            r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}"#,
            gone(),
            "invalid_request_error",
        ),
        (
            "azure, the code is the status",
            429,
            r#"{"error":{"code":"429","message":"Requests have exceeded the call rate limit."}}"#,
            limited(),
            "429",
        ),
        (
            "openai, no code",
            500,
            r#"{"error":{"message":"m","type":"server_error","param":null,"code":null}}"#,
            down(),
            "server_error",
        ),
        (
            "vllm",
            400,
            r#"{"error":{"message":"m","type":"BadRequestError","param":null,"code":400}}"#,
            Outcome::Declined,
            "BadRequestError",
        ),
        (
            "vllm, older",
            404,
            r#"{"object":"error","message":"The model `x` does not exist.","type":"NotFoundError","param":null,"code":404}"#,
            model,
            "NotFoundError",
        ),
        (
            "openrouter",
            502,
            r#"{"error":{"code":502,"message":"m","metadata":{"error_type":"provider_overloaded"}}}"#,
            down(),
            "provider_overloaded",
        ),
        (
            "openrouter, 402 of seconds",
            402,
            r#"{"error":{"code":402,"message":"m","metadata":{"error_type":"in_flight_budget_exhausted"}}}"#,
            down(),
            "in_flight_budget_exhausted",
        ),
        ("openrouter, under 200", 200, r#"{"error":{"code":429,"message":"m"}}"#, limited(), "429"),
        (
            "openrouter, in a choice",
            200,
            r#"{"choices":[{"error":{"code":502,"message":"m"},"finish_reason":"error"}]}"#,
            down(),
            "502",
        ),
        (
            "anthropic",
            529,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"r"}"#,
            down(),
            "overloaded_error",
        ),
        (
            "anthropic, a spend cap",
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"m","details":{"error_code":"enforced_spend_limit_reached"}}}"#,
            gone(),
            "enforced_spend_limit_reached",
        ),
        (
            "anthropic, 413 as a page",
            413,
            "<html><head><title>413 Request Entity Too Large</title></head></html>",
            Outcome::TooLarge,
            "",
        ),
        (
            "gemini",
            503,
            r#"{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#,
            down(),
            "UNAVAILABLE",
        ),
        (
            "gemini, in a list",
            429,
            r#"[{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}]}}]"#,
            gone(),
            "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
        ),
        (
            "vertex, a reason",
            400,
            r#"{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}"#,
            Outcome::Rejected { why: Rejection::Credential },
            "API_KEY_INVALID",
        ),
        (
            "gemini interactions",
            400,
            r#"{"error":{"code":"invalid_request","message":"m"}}"#,
            Outcome::Declined,
            "invalid_request",
        ),
        (
            "bedrock, in the body",
            400,
            r#"{"code":"ThrottlingException","message":"m"}"#,
            limited(),
            "ThrottlingException",
        ),
        (
            "bedrock, as a type",
            400,
            r#"{"__type":"com.amazonaws.bedrock#ThrottlingException:http://x","message":"m"}"#,
            limited(),
            "ThrottlingException",
        ),
        (
            "mistral",
            429,
            r#"{"object":"error","message":"m","type":"service_tier_capacity_exceeded","param":null,"code":"3505"}"#,
            limited(),
            "",
        ),
        (
            "cohere",
            429,
            r#"{"message":"You are past the per minute request limit, please wait and try again later."}"#,
            limited(),
            "429",
        ),
        ("cohere, 498", 498, r#"{"message":"invalid token"}"#, down(), ""),
        ("ollama", 404, r#"{"error":"model 'x' not found"}"#, model, ""),
        (
            "ollama, tired",
            503,
            r#"{"error":"server busy, please try again.  maximum pending requests exceeded"}"#,
            down(),
            "",
        ),
    ] {
        let verdict = judge(status, &[], body);
        // The renewal of a quota is in another table.
        let came = match verdict.outcome() {
            Outcome::QuotaExhausted { .. } => gone(),
            other => other,
        };
        assert_eq!(came, outcome, "{provider}");
        let told = verdict.code().map_or("", |code| code.as_str());
        assert!(
            code.is_empty() || told == code || told.is_empty() && code.parse::<u16>().is_ok(),
            "{provider}: {told}"
        );
    }
    // The header of Bedrock precedes its body; the name ends at `:` and starts after `#`.
    for name in
        ["ThrottlingException", "ThrottlingException:http://x/", "com.amazon#ThrottlingException"]
    {
        let verdict =
            judge(400, &[("x-amzn-errortype", name)], r#"{"__type":"ValidationException"}"#);
        assert_eq!(verdict.outcome(), limited(), "{name}");
    }
}

#[test]
fn more_explicit_facts_take_precedence() {
    let quota = r#"{"error":{"code":"insufficient_quota"}}"#;
    let slow = r#"{"error":{"code":"slow_down"}}"#;
    let (again, never) = ([("x-should-retry", "true")], [("x-should-retry", "false")]);
    // A permanent code precedes everything, a transient one precedes the header and the status, the header precedes the status.
    assert_eq!(judge(503, &again, quota).outcome(), gone());
    assert_eq!(judge(400, &never, slow).outcome(), limited());
    assert!(!judge(400, &never, slow).is_retryable());
    assert_eq!(judge(400, &again, "").outcome(), down());
    assert_eq!(judge(503, &[("x-should-retry", "TRUE")], "").outcome(), down());
    assert!(judge(503, &[("x-should-retry", "False")], "").is_retryable(), "exact and lower case");
}

#[test]
fn a_context_that_overflows_is_known_by_its_text() {
    for text in [
        "prompt is too long: 210000 tokens > 200000 maximum",
        "This model's maximum context length is 8192 tokens.",
        "Your input exceeds the context window of this model.",
        "The input token count (2000000) exceeds the maximum number of tokens allowed (1048575).",
        "Please reduce the length of the messages or completion.",
        "too many tokens: size limit exceeded",
    ] {
        for body in [
            format!(r#"{{"error":{{"message":"{text}","type":"invalid_request_error"}}}}"#),
            format!(r#"{{"message":"{text}"}}"#),
            format!(r#"{{"error":"{text}"}}"#),
        ] {
            assert_eq!(judge(400, &[], &body).outcome(), Outcome::TooLarge, "{body}");
        }
    }
    let both = r#"{"message":"Rate limit reached: too many tokens per minute, please wait."}"#;
    assert_eq!(judge(429, &[], both).outcome(), limited());
}

#[test]
fn hints_are_read_in_their_order() {
    let wait = |pairs: &[(&str, &str)], body: &str| judge(429, pairs, body).outcome().wait();
    let delay = r#"{"error":{"code":429,"message":"Please retry in 6s","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"5.5s"}]}}"#;
    let reset = [("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "7s")];
    let all = [
        ("retry-after-ms", "1500"),
        ("x-ms-retry-after-ms", "2500"),
        ("x-amz-retry-after", "3500"),
        ("retry-after", "4.5"),
        reset[0],
        reset[1],
    ];
    for (at, expected) in [(0, 1500), (1, 2500), (2, 3500), (3, 4500), (4, 5500)] {
        assert_eq!(wait(&all[at..], delay), Some(ms(expected)), "{at}");
    }
    let text = r#"{"error":{"message":"Please try again in 6m0s."}}"#;
    assert_eq!(wait(&reset, text), Some(secs(360)));
    assert_eq!(wait(&reset, ""), Some(secs(7)));
    for none in ["0", "-1", "inf", "nan", "soon", ""] {
        assert_eq!(wait(&[("retry-after", none)], ""), None, "{none}");
        assert_eq!(wait(&[("retry-after-ms", none), ("retry-after", "2")], ""), Some(secs(2)));
    }
    for (said, expected) in [
        ("try again in 1.5s", 1500),
        ("try again in 120ms", 120),
        ("try again in 6m0s", 360_000),
        ("retry in 10h17m5.72s", 37_025_720),
        ("retry after 37 seconds", 37_000),
    ] {
        let body = format!(r#"{{"error":{{"message":"Busy. Please {said}."}}}}"#);
        let wait = wait(&[], &body).unwrap();
        assert_eq!((wait.as_secs_f64() * 1000.0).round() as u64, expected, "{said}");
    }
}

#[test]
fn every_family_of_rate_limit_headers_gives_the_reset_of_an_empty_bucket() {
    let unix = |after: u64| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        now + secs(after)
    };
    let stamp = |after: u64| {
        let at = std::time::UNIX_EPOCH + unix(after);
        jiff::Timestamp::try_from(at).unwrap().to_string()
    };
    let (seconds, millis) = (unix(60).as_secs().to_string(), unix(60).as_millis().to_string());
    for (left, reset, value) in [
        ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests", "1m0s"),
        ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens", "60"),
        (
            "anthropic-ratelimit-requests-remaining",
            "anthropic-ratelimit-requests-reset",
            &stamp(60),
        ),
        ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset", &stamp(60)),
        (
            "anthropic-ratelimit-input-tokens-remaining",
            "anthropic-ratelimit-input-tokens-reset",
            &stamp(60),
        ),
        (
            "anthropic-ratelimit-output-tokens-remaining",
            "anthropic-ratelimit-output-tokens-reset",
            &stamp(60),
        ),
        ("x-ratelimit-remaining", "x-ratelimit-reset", &millis),
        ("x-ratelimit-remaining", "x-ratelimit-reset", &seconds),
        ("ratelimit-remaining", "ratelimit-reset", "60"),
        ("ratelimit-remaining", "ratelimit-reset", &seconds),
    ] {
        let wait = judge(429, &[(left, "0"), (reset, value)], "").outcome().wait();
        // Times are relative to now, and up to a second may have been rounded off.
        let wait = wait.expect(reset);
        assert!(wait > secs(57) && wait <= secs(61), "{reset}: {value}: {wait:?}");
        // A bucket that is not empty, or unknown as Azure reports it, is no wait.
        for some in ["1", "-1"] {
            let wait: Option<Duration> =
                judge(429, &[(left, some), (reset, value)], "").outcome().wait();
            assert_eq!(wait, None, "{reset}");
        }
        // The same for an error that is not a rate limit.
        assert_eq!(
            judge(503, &[(left, "0"), (reset, value)], "").outcome().wait(),
            None,
            "{reset}"
        );
    }
}

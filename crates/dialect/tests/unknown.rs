//! Words, statuses and sentences that no table has: drawn at random, they are never a success, never blamed on the caller, and
//! never end the search for an answer.

use evenkeel_dialect::{
    Dialect, Expected, RequestInfo, StreamMonitor,
    outcome::{
        BreakerSignal, CodeClass, ErrorCodeTable, FinishClass, Outcome, Rejection, classify,
        classify_with,
    },
};
use http::{HeaderMap, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};

const DIALECTS: [Dialect; 5] = [
    Dialect::OpenAiChat,
    Dialect::OpenAiResponses,
    Dialect::Anthropic,
    Dialect::Gemini,
    Dialect::Ollama,
];

/// A whole answer with a text that ends for that reason.
fn whole(dialect: Dialect, reason: &str) -> Value {
    match dialect {
        Dialect::OpenAiChat => {
            json!({"id": "c", "object": "chat.completion", "model": "m", "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "half a"}, "finish_reason": reason}]})
        }
        Dialect::OpenAiResponses => {
            json!({"id": "r", "object": "response", "status": "incomplete", "model": "m",
            "incomplete_details": {"reason": reason}, "output": [{"type": "message", "role": "assistant",
            "content": [{"type": "output_text", "text": "half a"}]}]})
        }
        Dialect::Anthropic => {
            json!({"id": "m", "type": "message", "role": "assistant", "model": "m",
            "content": [{"type": "text", "text": "half a"}], "stop_reason": reason})
        }
        Dialect::Gemini => json!({"candidates": [{"index": 0, "content": {"role": "model",
            "parts": [{"text": "half a"}]}, "finishReason": reason}]}),
        Dialect::Ollama => {
            json!({"model": "m", "message": {"role": "assistant", "content": "half a"},
            "done": true, "done_reason": reason})
        }
        other => panic!("{other:?}"),
    }
}

/// The same answer as a stream.
fn stream(dialect: Dialect, reason: &str) -> String {
    let events = match dialect {
        Dialect::OpenAiChat => vec![
            json!({"choices": [{"index": 0, "delta": {"role": "assistant", "content": "half a"}, "finish_reason": null}]}),
            json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}),
        ],
        Dialect::OpenAiResponses => vec![
            json!({"type": "response.output_text.delta", "delta": "half a"}),
            json!({"type": "response.incomplete", "response": whole(dialect, reason)}),
        ],
        Dialect::Anthropic => vec![
            json!({"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant", "content": []}}),
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "half a"}}),
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 9}}),
            json!({"type": "message_stop"}),
        ],
        Dialect::Gemini | Dialect::Ollama => vec![whole(dialect, reason)],
        other => panic!("{other:?}"),
    };
    let frame = |event: Value| match dialect {
        Dialect::Ollama => format!("{event}\n"),
        _ => format!("data: {event}\n\n"),
    };
    events.into_iter().map(frame).collect()
}

/// The outcomes of a whole answer and of a stream that end for that reason.
fn outcomes(codes: &ErrorCodeTable, dialect: Dialect, reason: &str) -> [Outcome; 2] {
    let body = whole(dialect, reason).to_string();
    let judged = dialect.check(Expected::new(codes, false), body.as_bytes()).0;
    let mut monitor = StreamMonitor::new(dialect, Expected::new(codes, false));
    monitor.feed(stream(dialect, reason).as_bytes());
    let end = monitor.finish().unwrap_or_else(|why| why.outcome());
    [judged.unwrap_or_else(|why| why.outcome()), end]
}

#[test]
fn the_reasons_of_valid_answers_are_successes_in_every_dialect_and_case() {
    let table = ErrorCodeTable::default();
    for dialect in DIALECTS {
        for reason in [
            "stop",
            "STOP",
            "end_turn",
            "tool_calls",
            "length",
            "MAX_TOKENS",
            "eos",
            "stop_sequence",
            "eosFound",
            "endoftext",
            "STOP_CRITERIA_MET",
            "normal",
            "maximum_tokens",
            "max_output",
        ] {
            assert_eq!(
                outcomes(&table, dialect, reason),
                [Outcome::Success; 2],
                "{dialect:?} {reason}"
            );
        }
    }
}

#[test]
fn the_reasons_of_a_provider_that_failed_are_its_failures() {
    let table = ErrorCodeTable::default();
    for dialect in DIALECTS {
        for reason in ["error", "network_error", "abort", "insufficient_system_resource"] {
            let failed = Outcome::Unavailable { wait: None };
            assert_eq!(outcomes(&table, dialect, reason), [failed; 2], "{dialect:?} {reason}");
        }
    }
}

#[test]
fn the_reasons_of_a_model_that_erred_are_no_successes() {
    let table = ErrorCodeTable::default();
    for reason in [
        "MALFORMED_FUNCTION_CALL",
        "UNEXPECTED_TOOL_CALL",
        "OTHER",
        "function_call_filter: MALFORMED_FUNCTION_CALL",
        "repetition_truncation",
    ] {
        for dialect in DIALECTS {
            assert_eq!(
                outcomes(&table, dialect, reason),
                [Outcome::Unfinished; 2],
                "{dialect:?} {reason}"
            );
        }
    }
}

#[test]
fn a_finish_reason_can_be_added_and_replaced() {
    for (class, expected) in [
        (FinishClass::Complete, Outcome::Success),
        (FinishClass::Limit, Outcome::Success),
        (FinishClass::Unavailable, Outcome::Unavailable { wait: None }),
        (FinishClass::Unfinished, Outcome::Unfinished),
    ] {
        for word in ["OTHER", "stop"] {
            let codes = ErrorCodeTable::default().with_finish_reason(word, class);
            for dialect in DIALECTS {
                let expected = [expected; 2];
                assert_eq!(
                    outcomes(&codes, dialect, word),
                    expected,
                    "{dialect:?} {word} {class:?}"
                );
            }
        }
    }
}

#[test]
fn fewer_choices_than_were_asked_for_are_no_success() {
    let body = |n: u32| json!({"model": "m", "n": n, "stream": true}).to_string();
    let info = |n: u32| {
        let request = http::Request::post("/v1/chat/completions").body(body(n).into());
        RequestInfo::read(&request.unwrap())
    };
    let chunk = |index: u32, reason: Option<&str>| {
        let chunk = json!({"choices": [{"index": index, "delta": {"content": "a"}, "finish_reason": reason}]});
        format!("data: {chunk}\n\n")
    };
    let end = |n: u32, text: &str| {
        let codes = ErrorCodeTable::default();
        let mut monitor =
            StreamMonitor::new(Dialect::OpenAiChat, Expected::answer_to(&codes, &info(n)));
        let seen = monitor.feed(text.as_bytes());
        // The API's last event ends the answer: its failure is known there, not with the bytes.
        let failed = monitor.is_over() && monitor.outcome() != Outcome::Success;
        assert_eq!(seen.failed.is_some(), failed, "{text}");
        (monitor.outcome(), monitor.finish().unwrap_or_else(|why| why.outcome()))
    };
    let one = chunk(0, Some("stop"));
    let done = "data: [DONE]\n\n";
    assert_eq!(end(1, &one).0, Outcome::Success);
    assert_eq!(end(2, &one).0, Outcome::Truncated, "the second may still begin");
    assert_eq!(end(2, &format!("{one}{done}")).1, Outcome::Unfinished);
    let two = format!("{one}{}{}", chunk(1, None), chunk(1, Some("stop")));
    assert_eq!(end(2, &two), (Outcome::Success, Outcome::Success));
    let whole =
        json!({"choices": [{"index": 0, "message": {"content": "a"}, "finish_reason": "stop"}]});
    let check = |n| {
        let expected = Expected::answer_to(&ErrorCodeTable::default(), &info(n));
        Dialect::OpenAiChat.check(expected, whole.to_string().as_bytes()).0
    };
    assert_eq!(check(1).map_err(|why| why.outcome()), Ok(Outcome::Success));
    assert_eq!(check(2).map_err(|why| why.outcome()), Err(Outcome::Unfinished));
}

#[test]
fn statuses_and_words_can_be_added() {
    let status = |codes: &ErrorCodeTable, status: u16, body: &str| {
        let status = StatusCode::from_u16(status).unwrap();
        classify_with(codes, status, &HeaderMap::new(), body.as_bytes()).outcome()
    };
    let codes = ErrorCodeTable::default()
        .with_status(StatusCode::IM_A_TEAPOT, CodeClass::Unavailable)
        .with_words(["teapot", "full"], CodeClass::RateLimited);
    assert_eq!(status(&codes, 418, ""), Outcome::Unavailable { wait: None });
    assert_eq!(
        status(&codes, 400, r#"{"error":{"message":"The teapot is full"}}"#),
        Outcome::RateLimited { wait: None }
    );
    assert_eq!(
        status(&codes, 400, r#"{"error":{"message":"The teapot is empty"}}"#),
        Outcome::Declined
    );
    assert_eq!(status(&ErrorCodeTable::default(), 418, ""), Outcome::Declined);
}

/// A word that no provider sends.
fn strange() -> impl Strategy<Value = String> {
    "zz[a-z_]{1,24}(: [A-Za-z_]{1,12})?"
}

/// A sentence of words that mean nothing to a classifier.
fn sentence() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "sorry", "the", "cat", "sat", "on", "your", "mat", "und", "morgen", "wieder", "我们", "🎈",
        "7", "no", "thing",
    ]);
    prop::collection::vec(word, 0..12).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn an_unknown_finish_reason_is_never_a_success_nor_the_providers_fault(
        reason in strange(), at in 0..DIALECTS.len(),
    ) {
        for outcome in outcomes(&ErrorCodeTable::default(), DIALECTS[at], &reason) {
            prop_assert_eq!(outcome, Outcome::Unfinished, "{:?} {}", DIALECTS[at], reason);
            prop_assert!(outcome.allows_fallback() && outcome.retry_at_most_once());
            prop_assert_eq!(outcome.breaker_signal(), BreakerSignal::Ignored);
        }
    }

    #[test]
    fn an_unknown_rejection_moves_on_and_blames_nobody(
        status in 400_u16..500, code in prop::option::of(strange()), message in sentence(),
        shape in 0_u8..5,
    ) {
        // Statuses with a meaning of their own.
        prop_assume!(![401, 402, 403, 404, 407, 408, 409, 410, 413, 421, 425, 429, 451, 498].contains(&status));
        let body = match shape {
            0 => json!({"error": {"message": message, "code": code}}).to_string(),
            1 => json!({"error": message}).to_string(),
            2 => json!({"message": message, "type": code}).to_string(),
            3 => message,
            _ => String::new(),
        };
        let verdict = classify(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes());
        prop_assert_eq!(verdict.outcome(), Outcome::Declined, "{} {}", status, body);
        prop_assert!(verdict.outcome().allows_fallback() && !verdict.is_retryable());
        prop_assert_eq!(verdict.outcome().breaker_signal(), BreakerSignal::Ignored);
    }

    #[test]
    fn a_list_of_fields_blames_the_request_whatever_its_words(message in sentence(), at in 0_usize..3) {
        let bodies = [
            json!({"detail": [{"loc": ["body", "messages", 0], "msg": message, "type": "missing"}]}),
            json!({"error": {"message": message, "param": "messages[0]", "type": "zz"}}),
            json!({"error": {"message": message, "details": [{"fieldViolations": [{"field": "f"}]}]}}),
        ];
        for status in [StatusCode::BAD_REQUEST, StatusCode::UNPROCESSABLE_ENTITY] {
            let verdict = classify(status, &HeaderMap::new(), bodies[at].to_string().as_bytes());
            prop_assert_eq!(verdict.outcome(), Outcome::Rejected { why: Rejection::Request });
        }
    }
}

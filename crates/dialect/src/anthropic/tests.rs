use super::*;
use crate::{
    Dialect, FrameSummary, RequestInfo, StreamMonitor, Usage,
    outcome::{Outcome, Rejection},
};

const START: &str = r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],"model":"m","stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,"output_tokens":1}}}"#;
const OPEN: &str =
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
const WORD: &str =
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"word"}}"#;
const CLOSE: &str = r#"{"type":"content_block_stop","index":0}"#;
const REASON: &str = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":15}}"#;
const STOP: &str = r#"{"type":"message_stop"}"#;
const PING: &str = r#"{"type":"ping"}"#;
const ERROR: &str =
    r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;

/// The summary of events, each named by its type, and the outcome at the end.
fn follow(events: &[&str]) -> (FrameSummary, Outcome) {
    let name = |data: &str| data.split('"').nth(3).unwrap_or("x").to_owned();
    let text = events.iter().map(|data| format!("event: {}\ndata: {data}\n\n", name(data)));
    watch(&text.collect::<String>())
}

fn watch(text: &str) -> (FrameSummary, Outcome) {
    let mut watch =
        StreamMonitor::new(Dialect::Anthropic, &crate::outcome::ErrorCodeTable::default());
    let seen = watch.feed(text.as_bytes());
    (seen, watch.finish().unwrap_or_else(|why| why.outcome()))
}

fn outcome(events: &[&str]) -> Outcome {
    follow(events).1
}

fn reason(reason: &str) -> String {
    REASON.replace("end_turn", reason)
}

fn whole(content: &str, stop: &str) -> String {
    format!(
        r#"{{"id":"msg_1","type":"message","role":"assistant","content":{content},"stop_reason":"{stop}","usage":{{"input_tokens":7,"output_tokens":15}}}}"#
    )
}

fn judged(body: &str) -> Outcome {
    Dialect::Anthropic
        .check(&crate::outcome::ErrorCodeTable::default(), body.as_bytes())
        .0
        .unwrap_or_else(|why| why.outcome())
}

#[test]
fn text_thinking_and_tool_calls_are_content() {
    for delta in [
        r#"{"type":"text_delta","text":" "}"#,
        r#"{"type":"thinking_delta","thinking":"Hm"}"#,
        r#"{"type":"input_json_delta","partial_json":"{\"a\""}"#,
        r#"{"type":"compaction_delta","content":"before"}"#,
    ] {
        let event = format!(r#"{{"type":"content_block_delta","index":0,"delta":{delta}}}"#);
        assert_eq!(follow(&[START, OPEN, &event]).0.content, 1, "{delta}");
    }
    for block in [
        r#"{"type":"text","text":"a"}"#,
        r#"{"type":"tool_use","id":"t","name":"f","input":{}}"#,
        r#"{"type":"server_tool_use","id":"t","name":"web_search","input":{}}"#,
        r#"{"type":"redacted_thinking","data":"x"}"#,
        r#"{"type":"of_the_future"}"#,
    ] {
        let event =
            format!(r#"{{"type":"content_block_start","index":0,"content_block":{block}}}"#);
        assert_eq!(follow(&[START, &event]).0.content, 1, "{block}");
    }
}

#[test]
fn starts_pings_signatures_and_empty_pieces_are_no_content() {
    let delta = |delta: &str| format!(r#"{{"type":"content_block_delta","delta":{delta}}}"#);
    for event in [
        START,
        OPEN,
        PING,
        CLOSE,
        REASON,
        r#"{"type":"content_block_start","content_block":{"type":"thinking","thinking":"","signature":""}}"#,
        &delta(r#"{"type":"text_delta","text":""}"#),
        &delta(r#"{"type":"input_json_delta","partial_json":""}"#),
        &delta(r#"{"type":"signature_delta","signature":"abc"}"#),
        &delta(r#"{"type":"citations_delta","citation":{"cited_text":"x"}}"#),
        &delta("null"),
        r#"{"type":"of_the_future","delta":{"text":"x"}}"#,
        r#"{"type":"message_start","message":null}"#,
    ] {
        let (seen, _) = follow(&[event]);
        assert_eq!((seen.events, seen.content, seen.failed), (1, 0, None), "{event}");
    }
}

#[test]
fn pings_and_comments_are_no_content() {
    let text = format!(": hi\n\nevent: ping\ndata: {PING}\n\nevent: ping\ndata: now\n\ndata:\n\n");
    let (seen, outcome) = watch(&text.repeat(100));
    assert_eq!((seen.content, seen.failed, outcome), (0, None, Outcome::Truncated));
}

#[test]
fn a_stream_that_is_cut_is_truncated() {
    let events = [START, OPEN, WORD, WORD, CLOSE];
    for end in 1..=events.len() {
        assert_eq!(outcome(&events[..end]), Outcome::Truncated, "{end}");
    }
    assert_eq!(watch(&format!("data: {WORD}\n\ndata: {{\"type\":\"mess")).1, Outcome::Truncated);
    // The sentinel of another API does not end this one.
    assert_eq!(watch(&format!("data: {WORD}\n\ndata: [DONE]\n\n")).1, Outcome::Truncated);
}

#[test]
fn a_stop_reason_and_message_stop_each_suffice() {
    for end in [&[REASON, STOP][..], &[REASON], &[STOP], &[REASON, STOP, STOP]] {
        let events = [&[START, OPEN, WORD, CLOSE], end].concat();
        assert_eq!(outcome(&events), Outcome::Success, "{end:?}");
    }
}

#[test]
fn a_stream_that_ends_well_without_content_is_empty() {
    for events in [&[START, REASON, STOP][..], &[START, OPEN, CLOSE, REASON], &[STOP]] {
        assert_eq!(outcome(events), Outcome::Empty, "{events:?}");
    }
    assert_eq!(watch("").1, Outcome::Empty);
}

#[test]
fn without_content_a_refusal_has_blocked_it_and_a_limit_has_ended_it() {
    assert_eq!(outcome(&[START, &reason("refusal"), STOP]), Outcome::Blocked);
    assert_eq!(outcome(&[START, OPEN, WORD, &reason("refusal"), STOP]), Outcome::Success);
    for limit in ["max_tokens", "stop_sequence", "model_context_window_exceeded"] {
        assert_eq!(outcome(&[START, &reason(limit), STOP]), Outcome::Success, "{limit}");
    }
}

#[test]
fn an_error_in_the_stream_fails_it() {
    let of = |kind: &str| ERROR.replace("overloaded_error", kind);
    for (error, expected) in [
        (ERROR.to_owned(), Outcome::Unavailable { wait: None }),
        (of("api_error"), Outcome::Unavailable { wait: None }),
        (of("timeout_error"), Outcome::Unavailable { wait: None }),
        (of("rate_limit_error"), Outcome::RateLimited { wait: None }),
        (of("authentication_error"), Outcome::Rejected { why: Rejection::Credential }),
        (of("invalid_request_error"), Outcome::Declined),
        (
            r#"{"error":{"message":"x","type":"server_error"}}"#.into(),
            Outcome::Unavailable { wait: None },
        ),
        (r#"[{"error":{"code":503,"message":"x"}}]"#.into(), Outcome::Unavailable { wait: None }),
    ] {
        for before in [&[START][..], &[START, OPEN, WORD]] {
            let (seen, outcome) = follow(&[before, &[&error, WORD, REASON, STOP]].concat());
            assert_eq!(seen.failed.expect(&error).outcome(), expected, "{error}");
            assert_eq!(outcome, expected, "{error}");
        }
    }
    assert!(watch("event: error\ndata: Overloaded\n\n").0.failed.is_some());
}

#[test]
fn nothing_after_a_whole_message_undoes_it() {
    for after in [ERROR, "{bad", WORD] {
        let (seen, outcome) = follow(&[START, OPEN, WORD, REASON, after]);
        assert_eq!((seen.failed, outcome), (None, Outcome::Success), "{after}");
        let (seen, _) = follow(&[START, OPEN, WORD, STOP, after]);
        assert_eq!((seen.failed, seen.content), (None, 1), "{after}");
    }
}

#[test]
fn what_is_no_event_of_it_fails_the_stream() {
    for bad in [
        r#"{"type":"content_block_delta","delta":{"text":"wo"#,
        "{not json}",
        r#"{"choices":[{"index":0,"delta":{"content":"word"}}]}"#,
    ] {
        let (seen, outcome) = watch(&format!("data: {START}\n\ndata: {bad}\n\ndata: {WORD}\n\n"));
        assert_eq!(seen.failed, Some(Outcome::Malformed.into()), "{bad}");
        assert_eq!(outcome, Outcome::Malformed, "{bad}");
    }
}

#[test]
fn an_event_without_a_type_is_what_it_is_named() {
    let text = "event: content_block_delta\ndata: {\"delta\":{\"text\":\"a\"}}\n\nevent: message_stop\ndata: {}\n\n";
    let (seen, outcome) = watch(text);
    assert_eq!((seen.content, outcome), (1, Outcome::Success));
}

#[test]
fn the_cost_is_that_of_the_last_event_that_tells_it() {
    let tokens = |events: &[&str]| {
        let mut watch =
            StreamMonitor::new(Dialect::Anthropic, &crate::outcome::ErrorCodeTable::default());
        for data in events {
            watch.feed(format!("data: {data}\n\n").as_bytes());
        }
        watch.usage()
    };
    assert_eq!(tokens(&[OPEN, WORD]), None);
    assert_eq!(tokens(&[START]), Some(Usage::new(25, 1)));
    assert_eq!(tokens(&[START, WORD, REASON]), Some(Usage::new(25, 15)));
    let more = REASON.replace("15", "20").replace("\"output", "\"input_tokens\":30,\"output");
    assert_eq!(tokens(&[START, WORD, REASON, &more]), Some(Usage::new(30, 20)));
    let cached = START.replace(
        r#""input_tokens":25"#,
        r#""input_tokens":25,"cache_creation_input_tokens":100,"cache_read_input_tokens":1000"#,
    );
    assert_eq!(
        tokens(&[&cached, REASON]),
        Some(Usage { cache_write: 100, ..Usage::new(1125, 15).with_cached(1000) })
    );
    let odd = START.replace("25", "-1").replace(":1}", ":\"x\"}");
    assert_eq!(tokens(&[&odd]), None);
}

#[test]
fn a_turn_that_ends_at_once_is_an_answer_without_content() {
    let short = |text: &str| text.replace(r#""output_tokens":15"#, r#""output_tokens":2"#);
    assert_eq!(outcome(&[START, &short(REASON), STOP]), Outcome::Success);
    assert_eq!(judged(&short(&whole("[]", "end_turn"))), Outcome::Success);
    // With no tokens left it was truncated; without the end of a turn none has ended.
    assert_eq!(judged(&whole("[]", "end_turn")), Outcome::Empty);
    assert_eq!(outcome(&[START, STOP]), Outcome::Empty);
}

#[test]
fn a_whole_message_is_judged_by_its_content() {
    for (content, expected) in [
        (r#"[{"type":"text","text":"a"}]"#, Outcome::Success),
        (
            r#"[{"type":"text","text":""},{"type":"tool_use","name":"f","input":{}}]"#,
            Outcome::Success,
        ),
        (r#"[{"type":"thinking","thinking":"Hm"}]"#, Outcome::Success),
        ("[]", Outcome::Empty),
        ("null", Outcome::Empty),
        (r#"[{"type":"text","text":""}]"#, Outcome::Empty),
    ] {
        assert_eq!(judged(&whole(content, "end_turn")), expected, "{content}");
    }
    assert_eq!(judged(&whole("[]", "refusal")), Outcome::Blocked);
    assert_eq!(judged(&whole("[]", "max_tokens")), Outcome::Success);
    let tokens = Dialect::Anthropic
        .check(&crate::outcome::ErrorCodeTable::default(), whole("[]", "end_turn").as_bytes())
        .1
        .usage;
    assert_eq!(tokens, Some(Usage::new(7, 15)));
    let late = format!("\n\n {}", whole(r#"[{"type":"text","text":"a"}]"#, "end_turn"));
    assert_eq!(judged(&late), Outcome::Success);
}

#[test]
fn what_is_no_message_is_an_error_empty_malformed_or_cut() {
    for (body, expected) in [
        (ERROR, Outcome::Unavailable { wait: None }),
        (r#"{"error":"busy"}"#, Outcome::Unavailable { wait: None }),
        ("", Outcome::Empty),
        (" \n", Outcome::Empty),
        ("{}", Outcome::Empty),
        ("<html>", Outcome::Malformed),
        ("null", Outcome::Malformed),
        (r#"{"content":"#, Outcome::Truncated),
    ] {
        assert_eq!(judged(body), expected, "{body}");
    }
}

#[test]
fn a_text_is_a_message_in_both_forms() {
    let text = "We are \"busy\":\nback soon 🐎";
    let ask = |stream| RequestInfo { model: Some("m\"1".into()), stream, ..RequestInfo::default() };
    let body = |ask| {
        let response = render(text, &ask);
        String::from_utf8(response.body().to_vec()).unwrap()
    };
    let json: serde_json::Value = serde_json::from_str(&body(ask(false))).unwrap();
    assert_eq!((&json["content"][0]["text"], &json["model"]), (&text.into(), &"m\"1".into()));
    assert_eq!((&json["type"], &json["stop_reason"]), (&"message".into(), &"end_turn".into()));
    assert_eq!(judged(&json.to_string()), Outcome::Success);

    let stream = body(ask(true));
    let (seen, outcome) = watch(&stream);
    assert_eq!((seen.content, seen.events, outcome), (1, 6, Outcome::Success));
    let events = stream.split_terminator("\n\n").map(|event| {
        let (name, data) = event.split_once("\ndata: ").unwrap();
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(name.strip_prefix("event: "), data["type"].as_str());
        data
    });
    let events: Vec<_> = events.collect();
    let kinds: Vec<_> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    let order = [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ];
    assert_eq!(kinds, order);
    assert_eq!(events[2]["delta"]["text"], text);
    assert_eq!(events[0]["message"]["content"], serde_json::json!([]));
}

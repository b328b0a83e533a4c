use super::*;
use crate::{Dialect, FrameSummary, RequestInfo, StreamMonitor, Usage, outcome::Outcome};

const CREATED: &str = r#"{"type":"response.created","sequence_number":0,"response":{"id":"r","object":"response","status":"in_progress","error":null,"incomplete_details":null,"output":[],"usage":null}}"#;
const ADDED: &str = r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}}"#;
const WORD: &str = r#"{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"delta":"word"}"#;
const DONE: &str = r#"{"type":"response.output_text.done","item_id":"msg_1","text":"word"}"#;
const COMPLETED: &str = r#"{"type":"response.completed","response":{"id":"r","object":"response","status":"completed","error":null,"incomplete_details":null,"output":[],"usage":{"input_tokens":7,"output_tokens":3,"total_tokens":10}}}"#;
const FAILED: &str = r#"{"type":"response.failed","response":{"id":"r","object":"response","status":"failed","error":{"code":"server_error","message":"x"},"output":[],"usage":null}}"#;
const UNAVAILABLE: Outcome = Outcome::Unavailable { wait: None };

fn follow(events: &[&str]) -> (FrameSummary, Outcome) {
    let name = |data: &str| data.split('"').nth(3).unwrap_or("x").to_owned();
    let text = events.iter().map(|data| format!("event: {}\ndata: {data}\n\n", name(data)));
    watch(&text.collect::<String>())
}

fn watch(text: &str) -> (FrameSummary, Outcome) {
    let mut watch =
        StreamMonitor::new(Dialect::OpenAiResponses, &crate::outcome::ErrorCodeTable::default());
    let seen = watch.feed(text.as_bytes());
    (seen, watch.finish().unwrap_or_else(|why| why.outcome()))
}

fn incomplete(reason: &str) -> String {
    let details = format!(r#"{{"reason":"{reason}"}}"#);
    COMPLETED
        .replace("response.completed", "response.incomplete")
        .replace(r#""incomplete_details":null"#, &format!(r#""incomplete_details":{details}"#))
}

fn whole(output: &str) -> String {
    format!(
        r#"{{"id":"r","object":"response","status":"completed","error":null,"output":{output},"usage":{{"input_tokens":7,"output_tokens":3}}}}"#
    )
}

fn judged(body: &str) -> Outcome {
    Dialect::OpenAiResponses
        .check(&crate::outcome::ErrorCodeTable::default(), body.as_bytes())
        .0
        .unwrap_or_else(|why| why.outcome())
}

#[test]
fn text_reasoning_refusals_and_tool_calls_are_content() {
    for event in [
        WORD,
        r#"{"type":"response.refusal.delta","delta":"no"}"#,
        r#"{"type":"response.reasoning_text.delta","delta":"Hm"}"#,
        r#"{"type":"response.reasoning_summary_text.delta","delta":"Hm"}"#,
        r#"{"type":"response.function_call_arguments.delta","delta":"{"}"#,
        r#"{"type":"response.audio.delta","delta":"UklG"}"#,
        r#"{"type":"response.audio.transcript.delta","delta":"Hi"}"#,
        r#"{"type":"response.code_interpreter_call_code.delta","delta":"1"}"#,
        r#"{"type":"response.image_generation_call.partial_image","partial_image_b64":"x"}"#,
        r#"{"type":"response.output_item.added","item":{"type":"function_call","name":"f","arguments":""}}"#,
        r#"{"type":"response.output_item.done","item":{"type":"message","content":[{"type":"output_text","text":"a"}]}}"#,
    ] {
        assert_eq!(follow(&[CREATED, event]).0.content, 1, "{event}");
    }
}

#[test]
fn beginnings_ends_and_empty_pieces_are_no_content() {
    for event in [
        CREATED,
        ADDED,
        DONE,
        r#"{"type":"keepalive","sequence_number":3}"#,
        r#"{"type":"response.in_progress","response":{"status":"in_progress"}}"#,
        r#"{"type":"response.output_text.delta","delta":""}"#,
        r#"{"type":"response.content_part.added","part":{"type":"output_text","text":""}}"#,
        r#"{"type":"response.output_item.added","item":{"type":"reasoning","summary":[],"encrypted_content":"x"}}"#,
        r#"{"type":"response.web_search_call.searching"}"#,
        r#"{"type":"response.output_text.annotation.added","annotation":{"type":"url_citation"}}"#,
        r#"{"type":"response.queued","response":{"status":"queued"}}"#,
        r#"{"type":"response.of_the_future"}"#,
    ] {
        let (seen, _) = follow(&[event]);
        assert_eq!((seen.events, seen.content, seen.failed), (1, 0, None), "{event}");
    }
}

#[test]
fn completed_and_incomplete_are_good_ends_and_nothing_else_is() {
    assert_eq!(follow(&[CREATED, ADDED, WORD, DONE, COMPLETED]).1, Outcome::Success);
    for reason in ["max_output_tokens", "content_filter"] {
        assert_eq!(follow(&[CREATED, WORD, &incomplete(reason)]).1, Outcome::Success, "{reason}");
    }
    let mut watch =
        StreamMonitor::new(Dialect::OpenAiResponses, &crate::outcome::ErrorCodeTable::default());
    watch.feed(format!("data: {WORD}\n\ndata: {COMPLETED}\n\n").as_bytes());
    assert!(watch.is_over());
    assert_eq!(watch.usage(), Some(Usage::new(7, 3)));
}

#[test]
fn a_stream_without_its_end_is_truncated() {
    for events in [&[CREATED][..], &[CREATED, ADDED, WORD, WORD], &[CREATED, WORD, DONE]] {
        assert_eq!(follow(events).1, Outcome::Truncated, "{events:?}");
    }
    assert_eq!(watch(&format!("data: {WORD}\n\ndata: [DONE]\n\n")).1, Outcome::Truncated);
}

#[test]
fn an_end_without_content_is_empty_blocked_or_a_limit() {
    assert_eq!(follow(&[CREATED, ADDED, COMPLETED]).1, Outcome::Empty);
    assert!(follow(&[CREATED, COMPLETED]).0.failed.is_some());
    assert_eq!(follow(&[CREATED, &incomplete("content_filter")]).1, Outcome::Blocked);
    assert_eq!(follow(&[CREATED, &incomplete("max_output_tokens")]).1, Outcome::Success);
    assert_eq!(watch("").1, Outcome::Empty);
    // A server that sends no deltas sends all content at the end.
    let late = COMPLETED.replace(
        r#""output":[]"#,
        r#""output":[{"type":"message","content":[{"type":"output_text","text":"a"}]}]"#,
    );
    assert_eq!(follow(&[CREATED, &late]).1, Outcome::Success);
}

#[test]
fn a_failure_and_an_error_flat_or_nested_fail_the_stream() {
    for (error, expected) in [
        (FAILED, UNAVAILABLE),
        (
            &FAILED.replace("server_error", "rate_limit_exceeded"),
            Outcome::RateLimited { wait: None },
        ),
        (&FAILED.replace(r#"{"code":"server_error","message":"x"}"#, "null"), UNAVAILABLE),
        (&COMPLETED.replace("\"completed\"", "\"failed\""), UNAVAILABLE),
        (r#"{"type":"error","code":"server_error","message":"x","param":null}"#, UNAVAILABLE),
        (
            r#"{"type":"error","error":{"type":"server_error","code":null,"message":"x"}}"#,
            UNAVAILABLE,
        ),
        (
            r#"{"type":"error","error":{"type":"insufficient_quota","code":"insufficient_quota","message":"x"}}"#,
            Outcome::QuotaExhausted { wait: None },
        ),
        (r#"{"type":"error","code":"context_length_exceeded","message":"x"}"#, Outcome::TooLarge),
        (r#"{"error":{"message":"x","type":"server_error"}}"#, UNAVAILABLE),
    ] {
        for before in [&[CREATED][..], &[CREATED, ADDED, WORD]] {
            let (seen, outcome) = follow(&[before, &[error, WORD, COMPLETED]].concat());
            assert_eq!(seen.failed.expect(error).outcome(), expected, "{error}");
            assert_eq!(outcome, expected, "{error}");
        }
    }
    assert!(watch("event: error\ndata: busy\n\n").0.failed.is_some());
    let (seen, outcome) = follow(&[CREATED, WORD, COMPLETED, FAILED]);
    assert_eq!((seen.failed, outcome), (None, Outcome::Success));
}

#[test]
fn what_is_no_event_of_it_fails_the_stream() {
    for bad in [
        r#"{"type":"response.output_text.delta","delta":"wo"#,
        "{not json}",
        r#"{"choices":[{"delta":{"content":"word"}}]}"#,
    ] {
        let (seen, _) = watch(&format!("data: {CREATED}\n\ndata: {bad}\n\ndata: {WORD}\n\n"));
        assert_eq!(seen.failed, Some(Outcome::Malformed.into()), "{bad}");
    }
}

#[test]
fn a_whole_response_is_judged_by_its_output() {
    for (output, expected) in [
        (r#"[{"type":"message","content":[{"type":"output_text","text":"a"}]}]"#, Outcome::Success),
        (r#"[{"type":"message","content":[{"type":"refusal","refusal":"no"}]}]"#, Outcome::Success),
        (
            r#"[{"type":"reasoning","summary":[]},{"type":"function_call","name":"f"}]"#,
            Outcome::Success,
        ),
        (r#"[{"type":"reasoning","summary":[{"text":"Hm"}]}]"#, Outcome::Success),
        (r#"[{"type":"reasoning","summary":[],"encrypted_content":"x"}]"#, Outcome::Empty),
        (r#"[{"type":"message","content":[{"type":"output_text","text":""}]}]"#, Outcome::Empty),
        ("[]", Outcome::Empty),
    ] {
        assert_eq!(judged(&whole(output)), expected, "{output}");
    }
    assert_eq!(
        Dialect::OpenAiResponses
            .check(&crate::outcome::ErrorCodeTable::default(), whole("[]").as_bytes())
            .1
            .usage,
        Some(Usage::new(7, 3))
    );
    // A response that is computed in the background is fetched later.
    for status in ["queued", "in_progress"] {
        assert_eq!(judged(&whole("[]").replace("completed", status)), Outcome::Success);
    }
    let details = |reason: &str| {
        whole("[]").replacen('{', &format!(r#"{{"incomplete_details":{{"reason":"{reason}"}},"#), 1)
    };
    assert_eq!(judged(&details("content_filter")), Outcome::Blocked);
    assert_eq!(judged(&details("max_output_tokens")), Outcome::Success);
}

#[test]
fn what_is_no_response_is_an_error_empty_malformed_or_cut() {
    let failed = whole("[]")
        .replace("completed", "failed")
        .replace("\"error\":null", r#""error":{"code":"server_error","message":"x"}"#);
    for (body, expected) in [
        (failed.as_str(), UNAVAILABLE),
        (r#"{"error":{"message":"x","type":"server_error","code":null}}"#, UNAVAILABLE),
        ("", Outcome::Empty),
        ("{}", Outcome::Empty),
        ("<html>", Outcome::Malformed),
        (r#"{"output":"none"}"#, Outcome::Malformed),
        (r#"{"output":["#, Outcome::Truncated),
    ] {
        assert_eq!(judged(body), expected, "{body}");
    }
}

#[test]
fn a_text_is_a_response_in_both_forms() {
    let text = "We are \"busy\":\nback soon 🐎";
    let ask = |stream| RequestInfo { model: Some("m\"1".into()), stream, ..RequestInfo::default() };
    let body = |ask| {
        let response = render(text, &ask);
        String::from_utf8(response.body().to_vec()).unwrap()
    };
    let json: serde_json::Value = serde_json::from_str(&body(ask(false))).unwrap();
    assert_eq!((&json["model"], &json["status"]), (&"m\"1".into(), &"completed".into()));
    assert_eq!(json["output"][0]["content"][0]["text"], text);
    assert_eq!(judged(&json.to_string()), Outcome::Success);

    let stream = body(ask(true));
    assert_eq!(watch(&stream).1, Outcome::Success);
    let events = stream.split_terminator("\n\n").enumerate().map(|(number, event)| {
        let (name, data) = event.split_once("\ndata: ").unwrap();
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(name.strip_prefix("event: "), data["type"].as_str());
        assert_eq!(data["sequence_number"], number);
        data
    });
    let events: Vec<_> = events.collect();
    let kinds: Vec<_> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    assert_eq!((kinds[0], kinds[8], kinds.len()), ("response.created", "response.completed", 9));
    assert_eq!((&events[4]["delta"], &events[5]["text"]), (&text.into(), &text.into()));
    assert_eq!(events[0]["response"]["output"], serde_json::json!([]));
    assert_eq!(events[8]["response"]["output"][0], events[7]["item"]);
    assert_eq!(events[8]["response"]["id"], events[0]["response"]["id"]);
}

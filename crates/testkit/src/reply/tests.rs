//! Tests of the steps of a reply.

use std::time::Duration;

use serde_json::Value;

use super::{Api, Fault, Reply, ReplyHead, RequestFacts, ScriptStep, WORDS};

const SECOND: Duration = Duration::from_secs(1);

fn streamed() -> RequestFacts {
    RequestFacts { model: Some("m-1".into()), stream: true, ..RequestFacts::default() }
}

fn steps(reply: &Reply, facts: &RequestFacts) -> Vec<ScriptStep> {
    reply.script(facts, "p").collect()
}

fn body(steps: &[ScriptStep]) -> String {
    let data = |step: &ScriptStep| match step {
        ScriptStep::Data(data) => Some(data.to_vec()),
        _ => None,
    };
    String::from_utf8(steps.iter().filter_map(data).flatten().collect()).unwrap()
}

fn head(steps: &[ScriptStep]) -> &ReplyHead {
    let found = steps.iter().find(|step| matches!(step, ScriptStep::Head(_)));
    let Some(ScriptStep::Head(head)) = found else { panic!("{steps:?}") };
    head
}

/// The data of all events.
fn events(steps: &[ScriptStep]) -> Vec<String> {
    let body = body(steps);
    body.split_terminator("\n\n")
        .map(|event| event.strip_prefix("data: ").unwrap().into())
        .collect()
}

/// The content of all events that have any.
fn words(steps: &[ScriptStep]) -> Vec<String> {
    let content = |event: &String| {
        let event: Value = serde_json::from_str(event).ok()?;
        Some(event["choices"][0]["delta"]["content"].as_str()?.to_owned())
    };
    events(steps).iter().filter_map(content).filter(|content| !content.is_empty()).collect()
}

#[test]
fn the_text_has_sixty_words() {
    assert_eq!(WORDS.split(' ').count(), 60);
}

#[test]
fn a_stream_is_a_role_the_words_a_finish_reason_and_the_sentinel() {
    let steps = steps(&Reply::answer(), &streamed());
    let events = events(&steps);
    assert_eq!(events.len(), 1 + 60 + 1 + 1);
    assert!(events[0].contains(r#""role":"assistant","content":"""#) && events[0].contains("m-1"));
    assert!(events[61].contains(r#""delta":{},"finish_reason":"stop""#));
    assert_eq!(events[62], "[DONE]");
    assert_eq!(words(&steps).concat(), WORDS);
    assert_eq!(head(&steps).headers["content-type"], "text/event-stream");
    assert_eq!(head(&steps).headers["x-served-by"], "p");
    assert_eq!((head(&steps).length, steps.last()), (None, Some(&ScriptStep::End)));
}

#[test]
fn usage_comes_before_the_sentinel_when_the_request_asks_for_it() {
    let steps = steps(&Reply::answer(), &RequestFacts { usage: true, ..streamed() });
    let events = events(&steps);
    let usage: Value = serde_json::from_str(&events[62]).unwrap();
    assert_eq!(usage["usage"]["completion_tokens"], 60);
    assert_eq!(usage["choices"], serde_json::json!([]));
    assert!(events[1].contains(r#""usage":null"#) && events[63] == "[DONE]");
}

#[test]
fn an_answer_that_is_not_streamed_is_one_body_of_its_length() {
    let steps = steps(&Reply::answer().model("other"), &RequestFacts::default());
    let body = body(&steps);
    let json: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(json["choices"][0]["message"]["content"], WORDS);
    assert_eq!(json["choices"][0]["finish_reason"], "stop");
    assert_eq!(json["model"], "other");
    assert_eq!(head(&steps).length, Some(body.len() as u64));
}

#[test]
fn words_come_in_groups_that_end_where_a_fault_strikes() {
    let reply = Reply::answer().words_per_event(7).with(Fault::Cut { words: 40 });
    let steps = steps(&reply, &streamed());
    let groups = words(&steps);
    assert_eq!(groups.len(), 6, "five of seven words and one of five");
    assert_eq!(groups.concat().split_whitespace().count(), 40);
    assert_eq!(steps.last(), Some(&ScriptStep::Cut));
    assert!(!body(&steps).contains("[DONE]") && !body(&steps).contains("stop"));
}

#[test]
fn an_unstreamed_answer_that_is_cut_is_shorter_than_its_content_length() {
    for n in [0, 1, 40, 60] {
        let steps = steps(&Reply::answer().with(Fault::Cut { words: n }), &RequestFacts::default());
        let body = body(&steps);
        assert!(head(&steps).length.unwrap() > body.len() as u64);
        assert_eq!(steps.last(), Some(&ScriptStep::Cut));
        let (_, said) = body.split_once(r#""content":""#).unwrap();
        assert_eq!(said.split_whitespace().count(), n, "{body}");
        assert!(serde_json::from_str::<Value>(&body).is_err());
    }
}

#[test]
fn silence_lasts_and_then_the_connection_closes() {
    let reply = Reply::answer().with(Fault::Silence { words: 20, lasts: SECOND });
    let acted = steps(&reply, &streamed());
    assert_eq!(words(&acted).len(), 20);
    assert_eq!(acted[acted.len() - 2..], [ScriptStep::Wait(SECOND), ScriptStep::Cut]);

    let acted = steps(&Reply::answer().with(Fault::stall(20)), &streamed());
    assert_eq!(acted[acted.len() - 2..], [ScriptStep::Hang, ScriptStep::Cut]);
}

#[test]
fn an_invalid_event_has_the_configured_position_and_no_word_is_lost() {
    let reply = Reply::answer().with(Fault::InvalidEvent { event: 10 });
    let acted = steps(&reply, &streamed());
    let invalid = |event: &String| serde_json::from_str::<Value>(event).is_err();
    assert_eq!(events(&acted).iter().position(invalid), Some(9));
    assert_eq!(words(&acted).concat(), WORDS);

    let acted = steps(&reply, &RequestFacts::default());
    assert!(serde_json::from_str::<Value>(&body(&acted)).is_err());
    assert_eq!(head(&acted).length, Some(body(&acted).len() as u64), "whole, and not JSON");
}

#[test]
fn the_sentinel_and_the_finish_reason_can_be_missing() {
    let acted = steps(&Reply::answer().with(Fault::NoDone), &streamed());
    assert!(!body(&acted).contains("[DONE]") && body(&acted).contains("stop"));
    let acted = steps(&Reply::answer().with(Fault::NoFinish), &streamed());
    assert!(body(&acted).contains("[DONE]") && !body(&acted).contains("stop"));
    let acted = steps(&Reply::answer().with(Fault::NoFinish), &RequestFacts::default());
    assert!(body(&acted).contains(r#""finish_reason":null"#));
}

#[test]
fn an_error_event_ends_the_stream() {
    let reply = Reply::answer().with(Fault::server_error(3));
    let acted = steps(&reply, &streamed());
    let events = events(&acted);
    assert_eq!((words(&acted).len(), events.len()), (3, 1 + 3 + 1));
    assert!(events[4].contains("server_error"));
    assert_eq!(acted.last(), Some(&ScriptStep::End));

    let acted = steps(&reply, &RequestFacts::default());
    let json: Value = serde_json::from_str(&body(&acted)).unwrap();
    assert_eq!(
        (json["error"]["type"].as_str(), head(&acted).status.as_u16()),
        (Some("server_error"), 200)
    );
}

#[test]
fn the_connection_is_reset_after_so_many_bytes() {
    let acted = steps(&Reply::answer().with(Fault::ResetAfter { bytes: 100 }), &streamed());
    assert_eq!((body(&acted).len(), acted.last()), (100, Some(&ScriptStep::Reset)));
    let acted = steps(&Reply::answer().with(Fault::ResetAfter { bytes: 1 << 20 }), &streamed());
    assert!(body(&acted).contains("[DONE]"), "a body that is shorter comes whole");
    assert_eq!(acted.last(), Some(&ScriptStep::Reset));
}

#[test]
fn a_body_drips() {
    let reply = Reply::answer().with(Fault::Drip { bytes: 50, every: SECOND });
    let acted = steps(&reply, &RequestFacts::default());
    let waits = acted.iter().filter(|step| **step == ScriptStep::Wait(SECOND)).count();
    assert_eq!(waits, body(&acted).len().div_ceil(50));
}

#[test]
fn comments_come_before_the_first_content() {
    let reply = Reply::answer().with(Fault::Comments { every: SECOND, count: 2 });
    let acted = steps(&reply, &streamed());
    assert!(body(&acted).starts_with(": keep-alive\n\n: keep-alive\n\ndata: {"));
    assert_eq!(acted.iter().filter(|step| **step == ScriptStep::Wait(SECOND)).count(), 2);

    let acted = steps(&reply, &RequestFacts::default());
    assert!(body(&acted).starts_with("\n\n{"));
    assert_eq!(head(&acted).length, None, "its length is not known when the blanks come");
}

#[test]
fn latencies_come_where_they_belong() {
    let reply = Reply::answer()
        .words_per_event(30)
        .head_after(SECOND)
        .first_content_after(2 * SECOND)
        .between_events(3 * SECOND);
    let waits = |facts: &RequestFacts| -> Vec<String> {
        let steps = steps(&reply, facts);
        let word = |step: &ScriptStep| match step {
            ScriptStep::Wait(wait) => Some(format!("{}", wait.as_secs())),
            ScriptStep::Head(_) => Some("head".into()),
            _ => None,
        };
        steps.iter().filter_map(word).collect()
    };
    assert_eq!(waits(&streamed()), ["1", "head", "2", "3"]);
    assert_eq!(waits(&RequestFacts::default()), ["6", "head"], "worked out before it is sent");
}

#[test]
fn what_never_answers_has_no_head() {
    assert_eq!(steps(&Reply::refused(), &streamed()), [ScriptStep::Refuse]);
    assert_eq!(steps(&Reply::reset(), &streamed()), [ScriptStep::Reset]);
    assert_eq!(steps(&Reply::hang(), &streamed()), [ScriptStep::Hang]);
    assert_eq!(steps(&Reply::answer().with(Fault::Closed), &streamed()), [ScriptStep::Cut]);
}

#[test]
fn a_stream_can_go_on_for_ever() {
    let reply = Reply::answer().words_per_event(6).with(Fault::Endless { every: SECOND });
    let script = reply.script(&streamed(), "p");
    let acted: Vec<_> = script.take(1000).collect();
    assert_eq!(acted.len(), 1000, "and more");
    assert!(words(&acted).concat().starts_with(WORDS) && words(&acted).len() > 400);
    assert!(!body(&acted).contains("[DONE]") && !body(&acted).contains("stop"));
    assert_eq!(steps(&reply, &RequestFacts::default()).last(), Some(&ScriptStep::End));
}

#[test]
fn one_body_can_answer_a_request_for_a_stream() {
    let acted = steps(&Reply::answer().with(Fault::NotStreamed), &streamed());
    assert_eq!(head(&acted).headers["content-type"], "application/json");
    assert!(serde_json::from_str::<Value>(&body(&acted)).is_ok());
}

#[test]
fn a_status_has_its_error_body_and_headers() {
    let acted = steps(&Reply::rate_limited(Some(SECOND / 2)), &streamed());
    assert_eq!(head(&acted).status, 429);
    assert_eq!(head(&acted).headers["retry-after"], "0.5");
    assert_eq!(head(&acted).headers["content-type"], "application/json");
    let json: Value = serde_json::from_str(&body(&acted)).unwrap();
    assert_eq!(json["error"]["code"], "rate_limit_exceeded");

    let acted = steps(&Reply::status(503), &streamed());
    let json: Value = serde_json::from_str(&body(&acted)).unwrap();
    assert!(json["error"]["code"].is_null() && json["error"]["message"].is_string());
}

#[test]
fn an_empty_answer_and_a_page_are_successes_of_http() {
    let acted = steps(&Reply::empty(), &streamed());
    assert_eq!((head(&acted).status.as_u16(), body(&acted).as_str()), (200, ""));
    assert_eq!(head(&acted).headers["content-type"], "text/event-stream");
    let acted = steps(&Reply::html(), &streamed());
    assert_eq!(head(&acted).headers["content-type"], "text/html");
    let acted = steps(&Reply::answer().text(""), &streamed());
    assert!(words(&acted).is_empty() && body(&acted).contains("stop"), "well-formed, no content");
}

#[test]
fn a_model_that_needs_escapes_is_escaped() {
    let facts =
        RequestFacts { model: Some("a\"b".into()), stream: true, ..RequestFacts::default() };
    assert_eq!(words(&steps(&Reply::answer(), &facts)).concat(), WORDS);
}

#[test]
fn a_request_is_parsed() {
    let body = br#"{"model":"m","stream":true,"stream_options":{"include_usage":true},
        "tools":[{"type":"function","function":{"name":"f"}}],
        "messages":[{"role":"user","content":"x"},{"role":"user"}],"max_completion_tokens":7}"#;
    let mut headers = http::HeaderMap::new();
    headers.insert("x-api-key", "secret".parse().unwrap());
    headers.insert("x-scenario-call", "12".parse().unwrap());
    let facts = RequestFacts::read("/v1/chat/completions", &headers, body);
    let expected = RequestFacts {
        api: Api::Chat,
        model: Some("m".into()),
        stream: true,
        usage: true,
        tools: true,
        tool_names: vec!["f".into()],
        prefill: None,
        messages: 2,
        max_tokens: Some(7),
        credential: true,
        call: Some(12),
        bytes: body.len(),
    };
    assert_eq!(facts, expected);
    let unread = RequestFacts { bytes: 8, ..RequestFacts::default() };
    assert_eq!(RequestFacts::read("", &http::HeaderMap::new(), b"not JSON"), unread);
}

const PATHS: [&str; 3] = ["/v1/chat/completions", "/v1/responses", "/v1/messages"];

#[test]
fn an_answer_that_is_not_streamed_is_in_the_wire_language_of_its_path() {
    for (path, place) in PATHS.into_iter().zip([
        "/choices/0/message/content",
        "/output/0/content/0/text",
        "/content/0/text",
    ]) {
        let api = RequestFacts::read(path, &http::HeaderMap::new(), b"").api;
        let facts = RequestFacts { api, model: Some("m\"1".into()), ..RequestFacts::default() };
        let body = body(&steps(&Reply::answer(), &facts));
        let json: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(json.pointer(place), Some(&WORDS.into()), "{path}");
        assert_eq!(json["model"], "m\"1");
        let cut = steps(&Reply::answer().with(Fault::Cut { words: 2 }), &facts);
        assert!(self::body(&cut).ends_with("\"A ship "), "{path}");
        let failing = steps(&Reply::answer().with(Fault::server_error(0)), &facts);
        let json: Value = serde_json::from_str(&self::body(&failing)).unwrap();
        assert_eq!(json["error"]["type"], "server_error", "{path}");
        assert_eq!(json["type"] == "error", api != Api::Chat, "{path}");
    }
}

//! The key, the parsing of an answer, and its conversion to another form.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{
    entry::{Entry, Shape},
    key::{Key, Tenant},
};
use crate::{
    Body, Request, Response,
    dialect::{AnswerSummary, Dialect, RequestInfo, StreamMonitor, SyntheticReply, Usage},
    outcome::Outcome,
};

const CHAT: &str = "https://api.example/v1/chat/completions";

fn post(uri: &str, body: impl Into<Bytes>) -> Request {
    http::Request::post(uri).header("authorization", "Bearer one").body(body.into()).unwrap()
}

fn key(request: &Request) -> Option<Key> {
    Key::of(request, &RequestInfo::read(request), &[])
}

fn chat(body: &str) -> Key {
    key(&post(CHAT, body.to_owned())).unwrap()
}

fn with_header(name: &'static str, value: &str) -> Key {
    let mut request = post(CHAT, r#"{"model":"m"}"#);
    request.headers_mut().insert(HeaderName::from_static(name), value.parse().unwrap());
    key(&request).unwrap()
}

// === the key ===

#[test]
fn how_an_answer_comes_and_for_whom_changes_no_key() {
    let plain = chat(r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#);
    for body in [
        r#"{ "messages" : [ {"content":"hi","role":"user"} ],
            "model":"m" }"#,
        r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true,"stream_options":{"include_usage":true}}"#,
        r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"user":"u1","metadata":{"ticket":"7"}}"#,
        r#"{"model":"m","messages":[{"role":"user","content":"h\u0069"}],"safety_identifier":"x","service_tier":"flex"}"#,
        r#"{"model":"n","model":"m","messages":[{"role":"user","content":"hi"}]}"#,
    ] {
        assert_eq!(chat(body), plain, "{body}");
    }
    assert_eq!(chat(r#"{"temperature":1}"#), chat(r#"{"temperature":1.0}"#));
    assert_eq!(chat(r#"{"seed":10}"#), chat(r#"{"seed":1e1}"#));
}

#[test]
fn whatever_else_a_request_says_changes_its_key() {
    let bodies = [
        r#"{"model":"m"}"#,
        r#"{"model":"n"}"#,
        r#"{"model":"m","temperature":0}"#,
        r#"{"model":"m","temperature":0.5}"#,
        r#"{"model":"m","temperature":"0"}"#,
        r#"{"model":"m","temperature":null}"#,
        r#"{"model":"m","temperature":false}"#,
        r#"{"model":"m","seed":9007199254740993}"#,
        r#"{"model":"m","seed":9007199254740992}"#,
        r#"{"model":"m","messages":[]}"#,
        r#"{"model":"m","messages":{}}"#,
        r#"{"model":"m","messages":[["a","b"]]}"#,
        r#"{"model":"m","messages":[["a"],"b"]}"#,
        r#"{"model":"m","messages":[{"stream":true}]}"#,
        r#"{"model":"m","messages":[{"stream":false}]}"#,
        r#"{"model":"m","messages":[{"user":"a"}]}"#,
        r#"{"model":"m","tools":[{"type":"function"}]}"#,
        r#"{"model":"m","n":2}"#,
    ];
    let keys: std::collections::HashSet<_> = bodies.iter().map(|body| chat(body)).collect();
    assert_eq!(keys.len(), bodies.len());
}

#[test]
fn the_address_is_in_the_key_but_for_how_the_answer_comes() {
    let at = |uri: &str| key(&post(uri, "{}")).unwrap();
    const GEMINI: &str = "https://g.example/v1beta/models/flash:generateContent";
    let same = [
        "https://g.example/v1beta/models/flash:streamGenerateContent",
        "https://g.example/v1beta/models/flash:streamGenerateContent?alt=sse",
        "https://G.example/v1beta/models/flash:generateContent",
    ];
    for uri in same {
        assert_eq!(at(uri), at(GEMINI), "{uri}");
    }
    let others = [
        GEMINI,
        "https://g.example/v1beta/models/pro:generateContent",
        "https://h.example/v1beta/models/flash:generateContent",
        "https://g.example:8443/v1beta/models/flash:generateContent",
        "https://g.example/v1beta/models/flash:generateContent?key=one",
        "https://g.example/v1beta/models/flash:generateContent?key=two",
        "https://a.example/openai/deployments/d1/chat/completions?api-version=1",
        "https://a.example/openai/deployments/d2/chat/completions?api-version=1",
        "https://a.example/openai/deployments/d1/chat/completions?api-version=2",
        "https://a.example/openai/deployments/d1/chat/completions?api-version=1&default=1",
        "https://o.example/api/chat",
        "https://o.example/api/generate",
    ];
    let keys: std::collections::HashSet<_> = others.iter().map(|uri| at(uri)).collect();
    assert_eq!(keys.len(), others.len());
}

#[test]
fn all_that_speaks_for_the_caller_is_in_the_key() {
    let plain = with_header("x-request-id", "1");
    assert_eq!(plain, with_header("x-request-id", "2"));
    assert_eq!(plain, with_header("idempotency-key", "1"));
    for name in ["authorization", "x-api-key", "openai-organization", "cookie", "anthropic-beta"] {
        let (one, other) = (with_header(name, "1"), with_header(name, "2"));
        assert!(one != other && one != plain, "{name}");
    }
}

#[test]
fn a_tenant_that_is_named_takes_the_place_of_the_credential() {
    let of = |tenant: &str, credential: &str| {
        let mut request = post(CHAT, "{}");
        request.headers_mut().insert(header::AUTHORIZATION, credential.parse().unwrap());
        request.extensions_mut().insert(Tenant::new(tenant));
        key(&request).unwrap()
    };
    assert_eq!(of("a", "of an hour"), of("a", "of the next"));
    assert_ne!(of("a", "of all"), of("b", "of all"));
}

#[test]
fn a_header_that_varies_the_answer_is_in_the_key() {
    let vary = [HeaderName::from_static("x-persona")];
    let of = |persona: &str| {
        let mut request = post(CHAT, "{}");
        request.headers_mut().insert("x-persona", persona.parse().unwrap());
        Key::of(&request, &RequestInfo::read(&request), &vary)
    };
    assert_ne!(of("kind"), of("stern"));
}

#[test]
fn what_has_no_key_has_none() {
    let without = [
        post("https://api.example/v1/embeddings", "{}"),
        post(CHAT, ""),
        post(CHAT, "[]"),
        post(CHAT, "{"),
        post("https://api.example/v1/responses", r#"{"conversation":"c1"}"#),
        post("https://api.example/v1/responses", r#"{"background":true}"#),
    ];
    for request in without {
        assert_eq!(key(&request), None, "{:?}", request.uri());
    }
    let background = post("https://api.example/v1/responses", r#"{"background":false}"#);
    assert!(key(&background).is_some());
}

#[test]
fn a_key_is_the_same_in_every_process() {
    let digest = chat("{}").to_string();
    assert_eq!(digest.len(), 64);
    // A change here makes every answer in existing stores a miss: change the version in the key.
    assert_eq!(digest, DIGEST);
}

const DIGEST: &str = "cd1a5e39337124c5aa5351dd7c591be2f8e4dca9400bd4d64c65dd68ea8967d8";

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("1.0 is 1", |it| it.fract() != 0.0).prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{0,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The same JSON in other bytes: fields in reverse order, with white space.
fn other_way(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(other_way).collect();
            format!("[ {} ]", items.join(" ,\n"))
        }
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| {
                format!("{} : {}", Value::from(name.as_str()), other_way(value))
            };
            let fields: Vec<_> = fields.iter().rev().map(field).collect();
            format!("{{ {} }}", fields.join(",\t"))
        }
        leaf => leaf.to_string(),
    }
}

proptest! {
    #[test]
    fn a_key_is_that_of_the_json_and_not_of_its_bytes(messages in values()) {
        let body = json!({"model": "m", "messages": messages});
        prop_assert_eq!(chat(&body.to_string()), chat(&other_way(&body)));
    }

    #[test]
    fn two_requests_have_one_key_only_if_they_are_one(a in values(), b in values()) {
        let of = |value: &Value| chat(&json!({"messages": value}).to_string());
        prop_assert_eq!(of(&a) == of(&b), a == b);
        let moved = |value: &Value| chat(&json!({"tools": value}).to_string());
        prop_assert_ne!(of(&a), moved(&a));
    }

    #[test]
    fn no_bytes_are_taken_for_a_stored_answer(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert!(Entry::from_bytes(bytes.clone()).is_none());
        let marked = [b"evenkeel answer 1\n", &bytes[..]].concat();
        let _ = Entry::from_bytes(marked);
    }
}

// === forms ===

const TEXT: &str = "Your \"parcel\" is\non its way. 📦";

fn asks() -> Vec<RequestInfo> {
    let ask = |uri: &str, body: &str| RequestInfo::read(&post(uri, body.to_owned()));
    let g = "https://g.example/v1beta/models/flash";
    let mut asks = vec![
        ask(&format!("{g}:generateContent"), "{}"),
        ask(&format!("{g}:streamGenerateContent"), "{}"),
        ask(&format!("{g}:streamGenerateContent?alt=sse"), "{}"),
        ask(CHAT, r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#),
    ];
    for path in ["v1/chat/completions", "v1/responses", "v1/messages", "api/chat", "api/generate"] {
        for stream in [false, true] {
            let body = json!({"model": "m", "stream": stream}).to_string();
            asks.push(ask(&format!("https://x.example/{path}"), &body));
        }
    }
    asks
}

fn parts(response: &Response) -> (HeaderValue, Bytes) {
    let content_type = response.headers()[header::CONTENT_TYPE].clone();
    (content_type, response.body().bytes().unwrap())
}

fn summary(ask: &RequestInfo, bytes: &[u8]) -> AnswerSummary {
    AnswerSummary::read(ask.dialect().unwrap(), ask.stream(), bytes).unwrap()
}

/// What the dialect parses from an answer.
fn judged(ask: &RequestInfo, bytes: &[u8]) -> (Outcome, Option<Usage>) {
    let dialect = ask.dialect().unwrap();
    if !ask.stream() {
        let (outcome, facts) = dialect.check(&crate::outcome::ErrorCodeTable::default(), bytes);
        return (outcome.unwrap(), facts.usage);
    }
    let mut watch = StreamMonitor::new(dialect, &crate::outcome::ErrorCodeTable::default());
    assert!(watch.feed(bytes).failed.is_none());
    (watch.finish().unwrap(), watch.usage())
}

fn stored(ask: &RequestInfo, content_type: &HeaderValue, bytes: &Bytes) -> Entry {
    assert!(Shape::of(ask).fits(content_type, bytes));
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_750_000_000_123);
    let entry = Entry::new(ask, summary(ask, bytes), content_type, bytes, now).unwrap();
    // As if through a store that keeps bytes.
    let read = Entry::from_bytes(entry.to_bytes()).unwrap();
    assert_eq!((read.stored_at(), read.weight()), (now, entry.weight()));
    read
}

#[test]
fn a_stored_text_is_given_in_every_form_of_its_dialect() {
    let tokens = Usage::new(11, 7);
    for from in asks() {
        let said = SyntheticReply { text: TEXT, model: Some("the-one-that-said-it"), tokens };
        let (content_type, bytes) =
            parts(&from.dialect().unwrap().render(said, &from).map(Body::from));
        let entry = stored(&from, &content_type, &bytes);
        for to in asks().iter().filter(|to| to.dialect() == from.dialect() && same_path(to, &from))
        {
            let response = entry.replay(to).expect("it is text and nothing else");
            let (kind, given) = parts(&response);
            if Shape::of(to) == Shape::of(&from) {
                assert_eq!((&kind, &given), (&content_type, &bytes), "byte for byte");
            }
            assert!(Shape::of(to).fits(&kind, &given));
            let (outcome, cost) = judged(to, &given);
            assert_eq!(outcome, Outcome::Success);
            let told = summary(to, &given);
            assert_eq!(
                told.text.as_deref(),
                Some(TEXT),
                "{:?} as {:?}",
                Shape::of(&from),
                Shape::of(to)
            );
            assert_eq!(told.model.as_deref(), Some("the-one-that-said-it"));
            assert!(told.whole && told.plain && !told.tools);
            let silent = [Shape::of(&from), Shape::of(to)].contains(&Shape::Events)
                && to.dialect() == Some(Dialect::OpenAiChat);
            assert!(silent || cost == Some(tokens), "{cost:?}");
        }
    }
}

/// The two endpoints of Ollama have different answers, so their keys differ.
fn same_path(one: &RequestInfo, other: &RequestInfo) -> bool {
    one.form() == other.form() || one.dialect() != Some(Dialect::Ollama)
}

#[test]
fn another_dialect_is_never_given() {
    let asks = asks();
    let (content_type, bytes) = parts(&Dialect::Gemini.render("hi", &asks[0]).map(Body::from));
    let entry = stored(&asks[0], &content_type, &bytes);
    assert!(
        asks.iter().all(|to| entry.replay(to).is_some() == (to.dialect() == Some(Dialect::Gemini)))
    );
}

// === what is read of an answer ===

/// Answers with the expected summary: whether they are whole, plain text, and have tool calls.
const TOLD: [(&str, &str, [bool; 3]); 24] = [
    (
        "v1/chat/completions",
        r#"{"choices":[{"message":{"role":"assistant","content":"a","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}]}"#,
        [true, true, false],
    ),
    (
        "v1/chat/completions",
        r#"{"choices":[{"message":{"content":"a"},"finish_reason":"length"}]}"#,
        [false, true, false],
    ),
    (
        "v1/chat/completions",
        r#"{"choices":[{"message":{"content":"a"},"finish_reason":"content_filter"}]}"#,
        [false, true, false],
    ),
    ("v1/chat/completions", r#"{"choices":[{"message":{"content":"a"}}]}"#, [false, true, false]),
    (
        "v1/chat/completions",
        r#"{"choices":[{"message":{"content":"a","reasoning_content":"b"},"finish_reason":"stop"}]}"#,
        [true, false, false],
    ),
    (
        "v1/chat/completions",
        r#"{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"},{"index":1,"message":{"content":"b"},"finish_reason":"stop"}]}"#,
        [true, false, false],
    ),
    (
        "v1/chat/completions",
        r#"{"choices":[{"message":{"content":null,"tool_calls":[{"id":"1"}]},"finish_reason":"tool_calls"}]}"#,
        [true, false, true],
    ),
    (
        "v1/chat/completions",
        r#"{"choices":[{"message":{"content":"a"},"logprobs":{"content":[]},"finish_reason":"stop"}]}"#,
        [true, false, false],
    ),
    (
        "v1/messages",
        r#"{"type":"message","content":[{"type":"text","text":"a"}],"stop_reason":"end_turn"}"#,
        [true, true, false],
    ),
    (
        "v1/messages",
        r#"{"type":"message","content":[{"type":"text","text":"a"}],"stop_reason":"max_tokens"}"#,
        [false, true, false],
    ),
    (
        "v1/messages",
        r#"{"type":"message","content":[{"type":"text","text":"a"}],"stop_reason":"pause_turn"}"#,
        [false, true, false],
    ),
    (
        "v1/messages",
        r#"{"type":"message","content":[{"type":"text","text":"a"}],"stop_reason":"refusal"}"#,
        [false, true, false],
    ),
    (
        "v1/messages",
        r#"{"type":"message","content":[{"type":"text","text":"a"}],"stop_reason":"stop_sequence"}"#,
        [true, false, false],
    ),
    (
        "v1/messages",
        r#"{"type":"message","content":[{"type":"thinking","thinking":"b"},{"type":"text","text":"a"}],"stop_reason":"end_turn"}"#,
        [true, false, false],
    ),
    (
        "v1/messages",
        r#"{"type":"message","content":[{"type":"tool_use","id":"1"}],"stop_reason":"tool_use"}"#,
        [true, false, true],
    ),
    (
        "v1/responses",
        r#"{"status":"completed","output":[{"type":"reasoning","summary":[]},{"type":"message","content":[{"type":"output_text","text":"a","annotations":[]}]}]}"#,
        [true, true, false],
    ),
    (
        "v1/responses",
        r#"{"status":"incomplete","output":[{"type":"message","content":[{"type":"output_text","text":"a"}]}]}"#,
        [false, true, false],
    ),
    ("v1/responses", r#"{"status":"queued","output":[]}"#, [false, false, false]),
    (
        "v1/responses",
        r#"{"status":"completed","output":[{"type":"function_call","name":"f"}]}"#,
        [true, false, true],
    ),
    (
        "v1beta/models/m:generateContent",
        r#"{"candidates":[{"content":{"parts":[{"text":"a","thoughtSignature":"x"}]},"finishReason":"STOP","avgLogprobs":-0.1}]}"#,
        [true, true, false],
    ),
    (
        "v1beta/models/m:generateContent",
        r#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"MAX_TOKENS"}]}"#,
        [false, true, false],
    ),
    (
        "v1beta/models/m:generateContent",
        r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}}]},"finishReason":"STOP"}]}"#,
        [true, false, true],
    ),
    (
        "api/chat",
        r#"{"message":{"content":"a"},"done":true,"done_reason":"length"}"#,
        [false, true, false],
    ),
    (
        "api/chat",
        r#"{"message":{"content":"","tool_calls":[{"function":{}}]},"done":true,"done_reason":"stop"}"#,
        [true, false, true],
    ),
];

#[test]
fn it_is_read_whether_an_answer_is_whole_and_whether_it_is_its_text() {
    for (path, answer, told) in TOLD {
        let dialect = Dialect::of_path(&format!("/{path}")).unwrap();
        let summary = AnswerSummary::read(dialect, false, answer.as_bytes()).unwrap();
        assert_eq!([summary.whole, summary.plain, summary.tools], told, "{answer}");
    }
}

#[test]
fn a_stream_that_is_more_than_its_text_is_given_in_its_own_form_alone() {
    let chunk = |delta: Value, finish: Value| {
        format!(
            "data: {}\n\n",
            json!({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
        )
    };
    let stream = [
        chunk(json!({"role": "assistant", "reasoning_content": "hm"}), Value::Null),
        chunk(json!({"content": "a"}), Value::Null),
        chunk(Value::Object(Map::new()), "stop".into()),
        "data: [DONE]\n\n".into(),
    ];
    let ask = |stream: bool| {
        RequestInfo::read(&post(CHAT, json!({"model": "m", "stream": stream}).to_string()))
    };
    let bytes = Bytes::from(stream.concat());
    let entry = stored(&ask(true), &HeaderValue::from_static("text/event-stream"), &bytes);
    assert!(entry.replay(&ask(false)).is_none());
    assert_eq!(parts(&entry.replay(&ask(true)).unwrap()).1, bytes);
}

#[test]
fn nothing_of_an_answer_or_a_tenant_is_shown() {
    let ask = &asks()[0];
    let (content_type, bytes) =
        parts(&Dialect::Gemini.render("a secret answer", ask).map(Body::from));
    let entry = stored(ask, &content_type, &bytes);
    assert!(!format!("{entry:?} {:?}", Tenant::new("secret")).contains("secret"));
}

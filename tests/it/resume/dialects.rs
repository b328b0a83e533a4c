//! The other dialects with a prefill, over bytes as their providers send them.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use evenkeel::{
    Body, BoxError, Client, Request, Response,
    fallback::{Capabilities, Fallback, Prefill, Target},
    stream::MidStreamFailure,
};
use futures_util::stream;
use http_body::Frame;
use http_body_util::StreamBody;
use serde_json::{Value, json};
use tower::service_fn;

use crate::support::{Answer, call};

/// The requests to the second target.
type Asked = Arc<Mutex<Vec<Value>>>;

fn streamed(kind: &str, text: String, size: usize) -> Response {
    let bytes: Vec<Bytes> = text.into_bytes().chunks(size).map(Bytes::copy_from_slice).collect();
    let frames = bytes.into_iter().map(|bytes| Ok::<_, BoxError>(Frame::data(bytes)));
    let body = Body::wrap(StreamBody::new(stream::iter(frames)));
    http::Response::builder().header("content-type", kind).body(body).unwrap()
}

/// A call whose first target sends `first` and breaks, and whose second target sends `second`.
async fn gone_on(
    path: &str,
    kind: &'static str,
    first: &str,
    second: &str,
    size: usize,
) -> (Answer, Asked) {
    let asked = Asked::default();
    let (first, second, log) = (first.to_owned(), second.to_owned(), asked.clone());
    let upstream = service_fn(move |request: Request| {
        let text = match request.uri().host() {
            Some("primary") => first.clone(),
            _ => {
                log.lock().unwrap().push(serde_json::from_slice(request.body()).unwrap());
                second.clone()
            }
        };
        async move { Ok(streamed(kind, text, size)) }
    });
    let able = Capabilities::default().prefill(Prefill::Message);
    let second = Fallback::target(Target::new("http://second").model("spare")).capabilities(able);
    let client = Client::builder()
        .mid_stream_failure(MidStreamFailure::Continue)
        .fallback(second)
        .build_with(upstream)
        .unwrap();
    let body = json!({"model":"m","stream":true,
        "messages":[{"role":"user","content":"q"}],
        "contents":[{"role":"user","parts":[{"text":"q"}]}]});
    let request = http::Request::post(format!("http://primary{path}"))
        .body(Bytes::from(body.to_string()))
        .unwrap();
    (call(&client, request).await.unwrap(), asked)
}

fn event(name: &str, fields: Value) -> String {
    let mut fields = fields;
    fields["type"] = name.into();
    format!("event: {name}\ndata: {fields}\n\n")
}

fn delta(text: &str) -> String {
    let text = json!({"index":0,"delta":{"type":"text_delta","text":text}});
    event("content_block_delta", text)
}

fn head(id: &str) -> String {
    let message = json!({"message":{"id":id,"role":"assistant","content":[],"usage":{"input_tokens":3,"output_tokens":1}}});
    let block = json!({"index":0,"content_block":{"type":"text","text":""}});
    event("message_start", message) + &event("content_block_start", block)
}

fn tail() -> String {
    event("content_block_stop", json!({"index":0}))
        + &event(
            "message_delta",
            json!({"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}),
        )
        + &event("message_stop", json!({}))
}

/// The events of an answer, parsed strictly.
fn events(answer: &Answer) -> Vec<Value> {
    let bytes = answer.bytes();
    let text = std::str::from_utf8(&bytes).unwrap();
    assert!(text.is_empty() || text.ends_with("\n\n"));
    text.split_terminator("\n\n")
        .map(|event| {
            let data = event.lines().find_map(|line| line.strip_prefix("data: ")).expect(event);
            serde_json::from_str(data).expect(data)
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_message_continues_in_its_block() {
    for size in [1, 7, 64, 4096] {
        // The last event is truncated in its middle.
        let first = head("one") + &delta("the ship ") + &delta("leans")[..40];
        let second = head("two") + &delta(" to") + &delta(" port") + &tail();
        let (answer, asked) =
            gone_on("/v1/messages", "text/event-stream", &first, &second, size).await;
        assert!(answer.error.is_none(), "{:?}", answer.error);
        let events = events(&answer);
        let kinds: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
        assert_eq!(
            kinds,
            [
                "message_start",
                "content_block_start",
                "content_block_delta",
                "content_block_delta",
                "content_block_delta",
                "content_block_stop",
                "message_delta",
                "message_stop"
            ]
        );
        let text: String =
            events.iter().filter_map(|event| event["delta"]["text"].as_str()).collect();
        assert_eq!(text, "the ship to port");
        assert!(events.iter().all(|event| event.get("index").is_none_or(|index| index == 0)));
        let turns = asked.lock().unwrap()[0]["messages"].clone();
        assert_eq!(
            turns[1],
            json!({"role":"assistant","content":"the ship"}),
            "no blank at its end"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_with_thinking_is_not_continued() {
    let thinking = event(
        "content_block_delta",
        json!({"index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}),
    );
    let first = head("one") + &thinking + &delta("the ship ");
    let (answer, asked) =
        gone_on("/v1/messages", "text/event-stream", &first, &(head("two") + &tail()), 64).await;
    assert!(answer.error.unwrap().is_truncated());
    assert!(asked.lock().unwrap().is_empty());
}

fn candidate(id: &str, text: &str, finish: Option<&str>) -> Value {
    json!({"candidates":[{"content":{"parts":[{"text":text}],"role":"model"},"index":0,"finishReason":finish}],"responseId":id})
}

#[tokio::test(start_paused = true)]
async fn an_array_of_gemini_stays_one_array() {
    let path = "/v1beta/models/m:streamGenerateContent";
    for size in [1, 9, 4096] {
        let first = format!(
            "[{},\n{},\r\n{{\"cand",
            candidate("one", "the ship", None),
            candidate("one", " is", None)
        );
        let second = format!(
            "[{}\n,{}\n]",
            candidate("two", " on a keel", None),
            candidate("two", ".", Some("STOP"))
        );
        let (answer, asked) = gone_on(path, "application/json", &first, &second, size).await;
        assert!(answer.error.is_none(), "{:?}", answer.error);
        let chunks: Vec<Value> = serde_json::from_slice(&answer.bytes()).expect("one array");
        let text: String = chunks
            .iter()
            .filter_map(|chunk| chunk["candidates"][0]["content"]["parts"][0]["text"].as_str())
            .collect();
        assert_eq!(text, "the ship is on a keel.");
        assert!(chunks.iter().all(|chunk| chunk["responseId"] == "one"));
        let turn = asked.lock().unwrap()[0]["contents"][1].clone();
        assert_eq!(turn, json!({"role":"model","parts":[{"text":"the ship is"}]}));
    }
}

#[tokio::test(start_paused = true)]
async fn events_of_gemini_are_continued() {
    let path = "/v1beta/models/m:streamGenerateContent?alt=sse";
    let event = |chunk: Value| format!("data: {chunk}\r\n\r\n");
    let first = event(candidate("one", "the ship", None)) + "data: {\"candi";
    let second = event(candidate("two", " sails", Some("STOP")));
    let (answer, _) = gone_on(path, "text/event-stream", &first, &second, 11).await;
    assert!(answer.error.is_none(), "{:?}", answer.error);
    let bytes = answer.bytes();
    let text = std::str::from_utf8(&bytes).unwrap().replace("\r\n", "\n");
    let said: String = text
        .split_terminator("\n\n")
        .map(|event| serde_json::from_str::<Value>(&event["data: ".len()..]).unwrap())
        .filter_map(|chunk| {
            Some(chunk["candidates"][0]["content"]["parts"][0]["text"].as_str()?.to_owned())
        })
        .collect();
    assert_eq!(said, "the ship sails");
}

#[tokio::test(start_paused = true)]
async fn lines_of_ollama_stay_lines() {
    let line = |text: &str, done: bool| {
        let mut line = json!({"message":{"role":"assistant","content":text},"done":done});
        if done {
            line["done_reason"] = "stop".into();
        }
        format!("{line}\n")
    };
    for size in [1, 13, 4096] {
        let first = line("the ship ", false) + &line("is", false)[..20];
        let second = line(" well", false) + &line("", true);
        let (answer, asked) =
            gone_on("/api/chat", "application/x-ndjson", &first, &second, size).await;
        assert!(answer.error.is_none(), "{:?}", answer.error);
        let bytes = answer.bytes();
        let lines: Vec<Value> = std::str::from_utf8(&bytes)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let text: String =
            lines.iter().filter_map(|line| line["message"]["content"].as_str()).collect();
        assert_eq!(text, "the ship well");
        assert_eq!(lines.iter().filter(|line| line["done"] == true).count(), 1);
        assert_eq!(asked.lock().unwrap()[0]["messages"][1]["content"], "the ship");
    }
}

#[tokio::test(start_paused = true)]
async fn responses_have_no_prefill_so_they_end_in_the_failure() {
    let first = event("response.created", json!({"response":{"id":"one"}}))
        + &event("response.output_text.delta", json!({"delta":"the ship"}));
    let (answer, asked) = gone_on("/v1/responses", "text/event-stream", &first, "", 64).await;
    assert!(answer.error.unwrap().is_truncated());
    assert!(asked.lock().unwrap().is_empty());
}

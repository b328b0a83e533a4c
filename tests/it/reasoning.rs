//! Reasoning that another provider has made, and stored responses.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use evenkeel::{
    Body, Client, Error, Request, Response,
    fallback::{Edit, Fallback, FallbackPolicy, ForeignReasoning, Target},
};
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tower::{Layer, ServiceExt};

use crate::support::{EventLog, RequestLog, host, text, without_retries};

const DOWN: &str = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
const INVALID: &str = r#"{"type":"error","error":{"type":"invalid_request_error","message":"messages.1.content.0: Invalid `signature` in `thinking` block"}}"#;

/// The first target, which can be down, and what each provider has received.
#[derive(Clone, Debug, Default)]
struct Stage {
    down: Arc<AtomicBool>,
    wire: RequestLog,
}

fn reply(status: u16, kind: &str, body: impl Into<Bytes>) -> Response {
    let response = http::Response::builder().status(status).header(CONTENT_TYPE, kind);
    response.body(Body::from(body.into())).unwrap()
}

fn json_reply(body: &Value) -> Response {
    reply(200, "application/json", body.to_string())
}

fn ask(path: &str, body: &Value) -> Request {
    let request = http::Request::post(format!("http://primary{path}"));
    request.header("authorization", "Bearer k").body(body.to_string().into()).unwrap()
}

fn contains(request: &Request, word: &str) -> bool {
    String::from_utf8_lossy(request.body()).contains(word)
}

impl Stage {
    /// A client whose fallback is at another provider; `answer` is the answer of a host to a request that is not wrong.
    fn client(
        &self,
        target: Target,
        answer: impl Fn(&Request) -> Response + Clone + Send + Sync + 'static,
    ) -> Client {
        let down = self.down.clone();
        let upstream = self.wire.answering(move |request| {
            let away = host(request) == "primary" && down.load(Ordering::Relaxed);
            Ok::<_, Error>(match away {
                true => reply(529, "application/json", DOWN),
                false => answer(request),
            })
        });
        let fallback = Fallback::target(target).named("second");
        let builder = Client::builder().profile(without_retries()).fallback(fallback);
        builder.build_with(upstream).unwrap()
    }

    fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::Relaxed);
    }
}

fn second() -> Target {
    Target::new("http://secondary").bearer("its key")
}

/// A provider that signs its thinking with its own name, and refuses any other signature.
fn thinker(request: &Request) -> Response {
    let own = host(request);
    let other = if own == "primary" { "secondary" } else { "primary" };
    if contains(request, &format!("signed-by-{other}")) {
        return reply(400, "application/json", INVALID);
    }
    let signature = format!("signed-by-{own}");
    if contains(request, "\"stream\":true") {
        let events = [
            json!({"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}),
            json!({"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}),
            json!({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}),
            json!({"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":signature}}),
            json!({"type":"content_block_stop","index":0}),
            json!({"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}),
            json!({"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":own}}),
            json!({"type":"content_block_stop","index":1}),
            json!({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}),
            json!({"type":"message_stop"}),
        ];
        let event = |event: &Value| {
            format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap())
        };
        return reply(200, "text/event-stream", events.iter().map(event).collect::<String>());
    }
    json_reply(
        &json!({"id":"m","type":"message","role":"assistant","model":"m","stop_reason":"end_turn",
        "usage":{"input_tokens":1,"output_tokens":1},
        "content":[{"type":"thinking","thinking":"hm","signature":signature},{"type":"text","text":own}]}),
    )
}

fn turn(by: &str) -> Value {
    json!({"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":format!("signed-by-{by}")},{"type":"text","text":by}]})
}

fn messages(stream: bool, turns: &[Value]) -> Value {
    let mut all = vec![json!({"role":"user","content":"hi"})];
    for turn in turns {
        all.extend([turn.clone(), json!({"role":"user","content":"and?"})]);
    }
    json!({"model":"m","max_tokens":4096,"stream":stream,"thinking":{"type":"enabled","budget_tokens":1024},"messages":all})
}

#[tokio::test(start_paused = true)]
async fn a_conversation_whose_turn_came_from_a_fallback_goes_on_at_the_first_target() {
    for stream in [false, true] {
        let stage = Stage::default();
        let client = stage.client(second(), thinker);
        stage.set_down(true);
        let first = client.send(ask("/v1/messages", &messages(stream, &[]))).await.unwrap();
        assert!(text(first).await.contains("signed-by-secondary"));
        stage.set_down(false);
        let calls = stage.wire.len();
        let next = ask("/v1/messages", &messages(stream, &[turn("secondary")]));
        let answer = client.send(next).await.unwrap();
        assert_eq!(answer.status(), 200);
        text(answer).await;
        assert_eq!(stage.wire.len(), calls + 1, "no refusal was needed");
        assert!(
            !contains(&stage.wire.last(), "signed-by") && contains(&stage.wire.last(), "secondary")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_fallback_gets_its_own_reasoning_and_not_that_of_the_first_target() {
    for stream in [false, true] {
        let stage = Stage::default();
        let client = stage.client(second(), thinker);
        stage.set_down(true);
        text(client.send(ask("/v1/messages", &messages(stream, &[]))).await.unwrap()).await;
        let turns = [turn("primary"), turn("secondary")];
        let answer = client.send(ask("/v1/messages", &messages(stream, &turns))).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(contains(&stage.wire.last(), "signed-by-secondary"));
        assert!(!contains(&stage.wire.last(), "signed-by-primary"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_without_foreign_reasoning_is_sent_byte_for_byte() {
    let stage = Stage::default();
    let client = stage.client(second(), thinker);
    let body = r#"{ "model":"m", "messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"signed-by-primary"},{"type":"text","text":"a"}]},{"role":"user","content":"b"}] }"#;
    let request = http::Request::post("http://primary/v1/messages").body(body.into()).unwrap();
    assert_eq!(client.send(request).await.unwrap().status(), 200);
    assert_eq!(stage.wire.last_body(), body);
}

#[tokio::test(start_paused = true)]
async fn reasoning_of_an_unknown_maker_that_is_refused_is_removed_and_then_known() {
    let (stage, log) = (Stage::default(), EventLog::default());
    let upstream = stage.wire.answering(|request| Ok(thinker(request)));
    let client = log.attach_to(Client::builder()).build_with(upstream).unwrap();
    let body = messages(false, &[turn("secondary")]);
    assert_eq!(client.send(ask("/v1/messages", &body)).await.unwrap().status(), 200);
    assert_eq!((stage.wire.len(), log.count("request_edited")), (2, 1));
    assert_eq!(client.send(ask("/v1/messages", &body)).await.unwrap().status(), 200);
    assert_eq!(stage.wire.len(), 3, "it is known now");
}

#[tokio::test(start_paused = true)]
async fn a_target_that_keeps_foreign_reasoning_gets_all_of_it_and_its_refusal_stands() {
    let stage = Stage::default();
    let client = stage.client(second().foreign_reasoning(ForeignReasoning::Keep), thinker);
    stage.set_down(true);
    let result = client.send(ask("/v1/messages", &messages(false, &[turn("primary")]))).await;
    assert!(result.is_err() || result.is_ok_and(|answer| answer.status() != 200));
    assert!(
        stage.wire.all().iter().any(|request| {
            host(request) == "secondary" && contains(request, "signed-by-primary")
        })
    );
}

#[tokio::test(start_paused = true)]
async fn tool_results_without_the_thinking_of_their_calls_are_sent_with_thinking_off() {
    let stage = Stage::default();
    let client = stage.client(second(), thinker);
    stage.set_down(true);
    let mut body = messages(false, &[]);
    body["messages"].as_array_mut().unwrap().extend([
        json!({"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"signed-by-primary"},{"type":"tool_use","id":"t1","name":"f","input":{}}]}),
        json!({"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"1"}]}),
    ]);
    assert_eq!(client.send(ask("/v1/messages", &body)).await.unwrap().status(), 200);
    let sent: Value = serde_json::from_slice(stage.wire.last().body()).unwrap();
    assert!(sent.get("thinking").is_none(), "{sent}");
    assert_eq!(
        sent["messages"][1]["content"],
        json!([{"type":"tool_use","id":"t1","name":"f","input":{}}])
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_reasoning_content_gets_none() {
    let stage = Stage::default();
    let target = Target::new("http://secondary/v1").bearer("its key");
    let client = stage.client(target, |request| match contains(request, "reasoning_content") {
        true => reply(400, "application/json", r#"{"error":{"message":"property 'messages.1.reasoning_content' is unsupported","type":"invalid_request_error"}}"#),
        false => json_reply(&json!({"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"well"},"finish_reason":"stop"}]})),
    });
    let body = json!({"model":"m","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b","reasoning_content":"hm"},{"role":"user","content":"c"}]});
    for down in [true, false] {
        stage.set_down(down);
        assert_eq!(client.send(ask("/v1/chat/completions", &body)).await.unwrap().status(), 200);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_of_gemini_keeps_a_stand_in_for_the_signature_of_another_provider() {
    let stage = Stage::default();
    let client = stage.client(second(), |request| {
        let foreign = host(request) == "secondary" && contains(request, "Cg-primary");
        if foreign {
            return reply(400, "application/json", r#"{"error":{"code":400,"message":"Corrupted thought signature.","status":"INVALID_ARGUMENT"}}"#);
        }
        json_reply(&json!({"candidates":[{"content":{"role":"model","parts":[{"text":"well"}]},"finishReason":"STOP"}]}))
    });
    stage.set_down(true);
    let body = json!({"contents":[
        {"role":"user","parts":[{"text":"q"}]},
        {"role":"model","parts":[{"functionCall":{"name":"f","args":{}},"thoughtSignature":"Cg-primary"}]},
        {"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}}]},
    ]});
    let path = "/v1beta/models/gemini-3-pro:generateContent";
    assert_eq!(client.send(ask(path, &body)).await.unwrap().status(), 200);
    let sent: Value = serde_json::from_slice(stage.wire.last().body()).unwrap();
    let signature = &sent["contents"][1]["parts"][0]["thoughtSignature"];
    assert_eq!(signature, "skip_thought_signature_validator");
    assert_eq!(stage.wire.all().iter().filter(|it| host(it) == "secondary").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_refers_to_a_response_of_a_fallback_goes_to_that_fallback() {
    let stage = Stage::default();
    let target = Target::new("http://secondary/v1").bearer("its key");
    let client = stage.client(target, |request| {
        let own = host(request);
        let previous = contains(request, "previous_response_id");
        if previous && !contains(request, &format!("resp_{own}")) {
            return reply(404, "application/json", r#"{"error":{"message":"Previous response not found.","type":"invalid_request_error","code":"previous_response_not_found"}}"#);
        }
        json_reply(&json!({"id":format!("resp_{own}"),"object":"response","status":"completed","model":"m","output":[{"id":"msg_1","type":"message","role":"assistant","content":[{"type":"output_text","text":own}]}]}))
    });
    stage.set_down(true);
    let first =
        client.send(ask("/v1/responses", &json!({"model":"m","input":"hi"}))).await.unwrap();
    assert!(text(first).await.contains("resp_secondary"));
    stage.set_down(false);
    let body = json!({"model":"m","input":"and?","previous_response_id":"resp_secondary"});
    let calls = stage.wire.len();
    let next = client.send(ask("/v1/responses", &body)).await.unwrap();
    assert_eq!(next.status(), 200);
    assert_eq!(next.headers()["evenkeel-served-by"], "second");
    assert_eq!(stage.wire.len(), calls + 1);
    let own = json!({"model":"m","input":"and?","previous_response_id":"resp_primary"});
    let answer = client.send(ask("/v1/responses", &own)).await.unwrap();
    assert!(text(answer).await.contains("resp_primary"), "its own stay at the first target");
}

#[tokio::test(start_paused = true)]
async fn an_edit_without_reasoning_removes_it_whoever_made_it() {
    let wire = RequestLog::default();
    let edit = Edit::new().without_reasoning();
    let policy = FallbackPolicy::new().first(Fallback::original_request().edit(edit));
    let service = policy.build().unwrap().layer(wire.answering(|request| Ok(thinker(request))));
    let body = messages(false, &[turn("primary")]);
    service.oneshot(ask("/v1/messages", &body)).await.unwrap();
    assert!(!contains(&wire.last(), "signed-by"));
}

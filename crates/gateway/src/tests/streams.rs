//! Streams that break after their head, in every dialect.

use axum::{Router, body::Body};
use bytes::Bytes;
use evenkeel_testkit::{Fault, Reply};
use http::{Request, Response};
use serde_json::Value;

use super::support::{Models, client, gateway_for, upstream};

/// An upstream whose body breaks after these pieces.
async fn breaking(kind: &'static str, pieces: &'static [&'static str]) -> String {
    upstream(Router::new().fallback(async move |request: Request<Body>| {
        drop(request);
        let good = pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes())));
        let all: Vec<Result<Bytes, std::io::Error>> =
            good.chain([Err(std::io::ErrorKind::BrokenPipe.into())]).collect();
        let slow = futures_util::StreamExt::then(futures_util::stream::iter(all), async |piece| {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            piece
        });
        Response::builder().header("content-type", kind).body(Body::from_stream(slow)).unwrap()
    }))
    .await
}

/// The body that a caller receives: complete, because it ends as HTTP requires.
async fn seen(path: &str, kind: &'static str, pieces: &'static [&'static str]) -> String {
    let gateway = gateway_for(&breaking(kind, pieces).await).await;
    let response = client()
        .post(gateway.at(path))
        .body(r#"{"model":"m","stream":true}"#)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200, "{path}");
    response.text().await.expect("the body ends well")
}

/// The name and the JSON of the last event.
fn last(text: &str) -> (Option<&str>, Value) {
    assert!(text.ends_with("\n\n"), "{text:?}");
    let event = text.trim_end().rsplit("\n\n").next().unwrap();
    let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
    (field("event: "), serde_json::from_str(field("data: ").unwrap()).unwrap())
}

const EVENTS: &str = "text/event-stream";
const CHAT: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\n";

#[tokio::test]
async fn openai_chat_ends_with_an_error_event_and_without_done() {
    for half in
        ["", "data: {\"choi", "data: {\"choices\":[]}\n", "data", ": comment", "event: x\ndata: 1"]
    {
        let pieces: &'static [&'static str] = Box::leak(Box::new([CHAT, half]));
        let text = seen("/v1/chat/completions", EVENTS, pieces).await;
        assert!(text.starts_with(CHAT) && !text.contains("[DONE]"), "{text}");
        let (name, event) = last(&text);
        assert_eq!(
            (name, &event["error"]["code"]),
            (None, &"evenkeel_truncated".into()),
            "{half:?}: {text}"
        );
        assert_eq!(text.matches("data: ").count(), 2, "no half event: {text}");
    }
}

#[tokio::test]
async fn anthropic_ends_with_its_own_error_event() {
    let delta = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}}\n\n";
    let pieces: &'static [&'static str] = Box::leak(Box::new([delta, "event: content_bl"]));
    let (name, event) =
        last(Box::leak(seen("/v1/messages", EVENTS, pieces).await.into_boxed_str()));
    assert_eq!(
        (name, &event["type"], &event["error"]["type"]),
        (Some("error"), &"error".into(), &"api_error".into())
    );
}

#[tokio::test]
async fn openai_responses_end_with_an_event_that_their_sdks_raise() {
    let delta = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"hi\"}\n\n";
    let pieces: &'static [&'static str] = Box::leak(Box::new([delta]));
    let (name, event) =
        last(Box::leak(seen("/v1/responses", EVENTS, pieces).await.into_boxed_str()));
    assert_eq!((name, &event["type"]), (Some("response.failed"), &"response.failed".into()));
    assert_eq!(event["response"]["status"], "failed");
    // The official reader for Python raises a field `error` at the top.
    assert_eq!(event["response"]["error"]["code"], event["error"]["code"]);
}

#[tokio::test]
async fn gemini_ends_with_an_event_or_an_element() {
    let one = r#"{"candidates":[{"content":{"parts":[{"text":"hi"}]}}]}"#;
    let event: &'static str = Box::leak(format!("data: {one}\r\n\r\n").into_boxed_str());
    let pieces: &'static [&'static str] = Box::leak(Box::new([event, "data: {\"cand"]));
    let text = seen("/v1beta/models/m:streamGenerateContent?alt=sse", EVENTS, pieces).await;
    let text = text.replace("\r\n", "\n");
    assert_eq!(last(&text).1["error"]["status"], "UNAVAILABLE");

    let first: &'static str = Box::leak(format!("[{one}").into_boxed_str());
    let tails: [&[&'static str]; 4] =
        [&[], &["\n,\r\n"], &[",\n{\"candidates\":[{\"con"], &[",{\"a\":\"]"]];
    for tail in tails {
        let pieces: &'static [&'static str] =
            Box::leak([&[first], tail].concat().into_boxed_slice());
        let text = seen("/v1beta/models/m:streamGenerateContent", "application/json", pieces).await;
        let array: Value = serde_json::from_str(&text).expect(&text);
        assert_eq!(array.as_array().unwrap().len(), 2, "{text}");
        assert_eq!(
            (&array[1]["error"]["code"], array[0]["candidates"].is_array()),
            (&502.into(), true)
        );
    }
}

#[tokio::test]
async fn ollama_ends_with_a_line() {
    let line = "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"hi\"},\"done\":false}\n";
    let pieces: &'static [&'static str] = Box::leak(Box::new([line, "{\"model\":\"m\",\"mess"]));
    let text = seen("/api/chat", "application/x-ndjson", pieces).await;
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[1]["error"].as_str().unwrap().contains("evenkeel"), "{text}");
}

#[tokio::test]
async fn a_stream_nobody_knows_breaks_visibly() {
    let gateway = gateway_for(&breaking(EVENTS, &["data: 1\n\n"]).await).await;
    let response =
        client().post(gateway.at("/v1/unknown")).body(r#"{"stream":true}"#).send().await.unwrap();
    assert!(response.text().await.is_err());
    // An unstreamed answer is not ended as if it were whole, either.
    let gateway = gateway_for(&breaking("application/octet-stream", &["half"]).await).await;
    let response = client().get(gateway.at("/v1/files/f/content")).send().await.unwrap();
    assert!(response.bytes().await.is_err());
}

#[tokio::test]
async fn an_event_larger_than_what_is_held_back_goes_on_and_is_ended_first() {
    let large: &'static str =
        Box::leak(format!("data: {{\"x\":\"{}", "y".repeat(300 * 1024)).into_boxed_str());
    let pieces: &'static [&'static str] = Box::leak(Box::new([CHAT, large]));
    let text = seen("/v1/chat/completions", EVENTS, pieces).await;
    // It is passed on in parts of what is held back; the last part belongs to an event that is never whole.
    assert!(text.len() > 256 * 1024, "{}", text.len());
    assert_eq!(last(&text).1["error"]["code"], "evenkeel_truncated");
}

#[tokio::test]
async fn a_cut_stream_is_whole_where_the_caller_waits_for_all_of_it() {
    let models = Models::default().once("cut", Reply::answer().with(Fault::Cut { words: 40 }));
    let gateway = gateway_for(&models.serve().await).await;
    let request = gateway.chat("cut", true).header("evenkeel-commit", "complete");
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["evenkeel-attempts"], "2");
    let text = response.text().await.unwrap();
    assert!(text.ends_with("data: [DONE]\n\n") && !text.contains("\"error\""), "{text}");
    assert_eq!(text.matches("[DONE]").count(), 1);
}

#[tokio::test]
async fn a_stall_is_told_within_the_stream() {
    let models = Models::default().always("stalls", Reply::answer().with(Fault::stall(20)));
    let gateway = gateway_for(&models.serve().await).await;
    let text = gateway.chat("stalls", true).send().await.unwrap().text().await.unwrap();
    assert_eq!(last(&text).1["error"]["code"], "evenkeel_timed_out", "{text}");
    super::support::soon(|| models.of("stalls").in_flight() == 0).await;
}

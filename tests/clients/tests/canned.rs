//! Canned replies, parsed by the types of async-openai, which are the strictest parsers of these APIs.

use async_openai::types::{
    chat::{CreateChatCompletionResponse, CreateChatCompletionStreamResponse},
    responses::{OutputItem, OutputMessageContent, Response as Answer, ResponseStreamEvent},
};
use bytes::Bytes;
use evenkeel::{Client, Error, Request, Response, fallback::Fallback, outcome::Outcome};
use tower::service_fn;

const TEXT: &str = "We are \"busy\":\nback soon 🐎";

/// The canned reply at that path while no target is reachable.
async fn canned(path: &str, body: &'static str) -> String {
    let nobody =
        service_fn(|_: Request| async { Err::<Response, _>(Error::new(Outcome::Unreachable)) });
    let client = Client::builder().fallback(Fallback::canned(TEXT)).build_with(nobody).unwrap();
    let request = http::Request::post(format!("http://primary{path}"));
    let response = client.send(request.body(Bytes::from_static(body.as_bytes())).unwrap());
    let body = response.await.unwrap().into_body();
    String::from_utf8(body.as_bytes().expect("it is known in full").to_vec()).unwrap()
}

/// The text of a response.
fn said(answer: &Answer) -> &str {
    match &answer.output[..] {
        [OutputItem::Message(message)] => match &message.content[..] {
            [OutputMessageContent::OutputText(text)] => &text.text,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// The data of the events of a stream, without the sentinel.
fn data(stream: &str) -> impl Iterator<Item = &str> {
    let lines = stream.lines().filter_map(|line| line.strip_prefix("data: "));
    lines.filter(|data| *data != "[DONE]")
}

#[tokio::test]
async fn a_typed_client_parses_a_canned_chat_completion_in_both_forms() {
    let whole = canned("/v1/chat/completions", r#"{"model":"m"}"#).await;
    let whole: CreateChatCompletionResponse = serde_json::from_str(&whole).unwrap();
    assert_eq!(whole.choices[0].message.content.as_deref(), Some(TEXT));
    assert_eq!((whole.model.as_str(), whole.usage.unwrap().total_tokens), ("m", 0));

    let asks = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#;
    let stream = canned("/v1/chat/completions", asks).await;
    let chunks: Vec<CreateChatCompletionStreamResponse> =
        data(&stream).map(|data| serde_json::from_str(data).unwrap()).collect();
    let words = chunks.iter().flat_map(|chunk| &chunk.choices);
    let text: String = words.filter_map(|choice| choice.delta.content.clone()).collect();
    assert_eq!((text.as_str(), chunks.last().unwrap().usage.is_some()), (TEXT, true));
}

#[tokio::test]
async fn a_typed_client_parses_a_canned_response_in_both_forms() {
    let whole = canned("/v1/responses", r#"{"model":"m","input":"hi"}"#).await;
    let whole: Answer = serde_json::from_str(&whole).unwrap();
    assert_eq!((said(&whole), whole.model.as_str()), (TEXT, "m"));

    let stream = canned("/v1/responses", r#"{"model":"m","input":"hi","stream":true}"#).await;
    let events: Vec<ResponseStreamEvent> =
        data(&stream).map(|data| serde_json::from_str(data).unwrap()).collect();
    let text = events.iter().filter_map(|event| match event {
        ResponseStreamEvent::ResponseOutputTextDelta(delta) => Some(delta.delta.as_str()),
        _ => None,
    });
    assert_eq!(text.collect::<String>(), TEXT);
    match events.last().unwrap() {
        ResponseStreamEvent::ResponseCompleted(end) => {
            assert_eq!(said(&end.response), TEXT);
        }
        other => panic!("{other:?}"),
    }
}

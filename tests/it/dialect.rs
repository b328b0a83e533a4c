//! The facts parsed from a request, and the outcome of an answer in each dialect.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use evenkeel::{
    Body, Error, Request,
    classify::ClassifyPolicy,
    dialect::{Dialect, RequestInfo},
    outcome::Outcome,
    stream::{BodyEnd, CommitPolicy},
};
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tower::{Layer, ServiceExt, service_fn};

fn ask(path: &str, body: &str) -> RequestInfo {
    let uri = format!("https://api.example{path}");
    let body = Bytes::copy_from_slice(body.as_bytes());
    RequestInfo::read(&http::Request::post(uri).body(body).unwrap())
}

fn chat(body: &str) -> RequestInfo {
    ask("/v1/chat/completions", body)
}

#[test]
fn the_path_determines_the_dialect() {
    for path in [
        "/chat/completions",
        "/v1/chat/completions",
        "/v1/chat/completions/",
        "/v1/chat/completions?api-version=1",
        "/openai/deployments/d/chat/completions",
        "/api/v1/chat/completions",
    ] {
        assert_eq!(Dialect::of_path(path), Some(Dialect::OpenAiChat), "{path}");
    }
    for path in [
        "",
        "/",
        "/v1/completions",
        "/v1/xchat/completions",
        "/v1/chat/completions/c-1",
        "/v1/models",
    ] {
        assert_eq!(Dialect::of_path(path), None, "{path}");
    }
}

#[test]
fn a_request_is_parsed_in_one_pass() {
    let ask = chat(
        r#" {"model":"m\"1","stream":true,"max_tokens":7,"tools":[{"type":"function"}],
            "messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]} "#,
    );
    assert_eq!(ask.dialect(), Some(Dialect::OpenAiChat));
    assert_eq!(ask.model(), Some("m\"1"));
    assert_eq!(ask.max_tokens(), Some(7));
    assert!(ask.stream() && ask.tools() && ask.images());
}

#[test]
fn absent_fields_are_absent() {
    let ask = chat(
        r#"{"model":null,"stream":false,"max_tokens":-1,"tools":[],"functions":null,
            "messages":[{"content":"\"image_url\" \"stream\":true","model":"x","stream":true}]}"#,
    );
    assert_eq!((ask.model(), ask.max_tokens()), (None, None));
    assert!(!ask.stream() && !ask.tools() && !ask.images());
}

#[test]
fn the_newer_limit_goes_before_the_older_and_legacy_functions_are_tools() {
    let ask = chat(r#"{"max_tokens":7,"max_completion_tokens":9,"functions":[{"name":"f"}]}"#);
    assert_eq!((ask.max_tokens(), ask.tools()), (Some(9), true));
}

#[test]
fn a_field_that_comes_twice_is_read_as_its_last() {
    assert_eq!(chat(r#"{"model":"a","stream":true,"model":"b"}"#).model(), Some("b"));
}

#[test]
fn a_body_that_is_no_object_asks_for_nothing() {
    for body in ["x", "[]", "null", "{", r#"{"model":"m","stream":true"#, r#"[{"model":"m"}]"#] {
        let ask = chat(body);
        assert_eq!(ask.dialect(), Some(Dialect::OpenAiChat));
        assert_eq!((ask.model(), ask.stream()), (None, false), "{body}");
    }
}

#[test]
fn values_of_another_type_are_passed_over() {
    let ask =
        chat(r#"{"model":7,"stream":"true","max_tokens":"many","tools":{},"stream_options":[]}"#);
    assert_eq!(ask, chat("{}"));
}

#[test]
fn in_a_path_of_azure_the_deployment_is_the_model() {
    let path = "/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21";
    assert_eq!(ask(path, r#"{"messages":[]}"#).model(), Some("my-gpt"));
    assert_eq!(ask(path, r#"{"model":"gpt-4o"}"#).model(), Some("my-gpt"));
}

#[test]
fn a_request_without_a_body_asks_no_model_anything() {
    assert_eq!(chat("").dialect(), None);
}

#[test]
fn every_dialect_has_its_paths() {
    for (path, dialect) in [
        ("/v1/responses", Dialect::OpenAiResponses),
        ("/openai/responses?api-version=preview", Dialect::OpenAiResponses),
        ("/v1/messages", Dialect::Anthropic),
        ("/anthropic/v1/messages?beta=true", Dialect::Anthropic),
        ("/v1beta/models/gemini-2.5-flash:generateContent", Dialect::Gemini),
        ("/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", Dialect::Gemini),
        ("/v1/projects/p/locations/l/publishers/google/models/g:generateContent", Dialect::Gemini),
        ("/v1beta/openai/chat/completions", Dialect::OpenAiChat),
        ("/api/chat", Dialect::Ollama),
        ("/api/generate", Dialect::Ollama),
        ("/ollama/api/chat/", Dialect::Ollama),
    ] {
        assert_eq!(Dialect::of_path(path), Some(dialect), "{path}");
    }
    for path in [
        "/v1/embeddings",
        "/v1/images/generations",
        "/v1/audio/speech",
        "/v1/files",
        "/v1/responses/resp_1",
        "/v1/responses/resp_1/cancel",
        "/v1/messages/count_tokens",
        "/v1/messages/batches",
        "/v1/threads/t/messages",
        "/v1beta/models/m:embedContent",
        "/v1beta/models/m:countTokens",
        "/api/embed",
        "/api/tags",
        "/api/chat/completions/x",
    ] {
        assert_eq!(Dialect::of_path(path), None, "{path}");
    }
}

#[test]
fn gemini_has_model_and_stream_in_its_path() {
    let body = r#"{"model":"no","stream":false,"generationConfig":{"maxOutputTokens":7},"tools":[{"functionDeclarations":[]}],
        "contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":""}}]}]}"#;
    let asked = ask("/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", body);
    assert_eq!((asked.model(), asked.stream()), (Some("gemini-2.5-flash"), true));
    assert_eq!((asked.max_tokens(), asked.tools(), asked.images()), (Some(7), true, true));
    let asked = ask("/v1beta/models/gemini-2.5-flash:generateContent", r#"{"stream":true}"#);
    assert_eq!((asked.stream(), asked.max_tokens()), (false, None));
}

#[test]
fn ollama_streams_unless_stream_is_false() {
    for (stream, expected) in [("", true), (r#","stream":null"#, true), (r#","stream":true"#, true)]
        .into_iter()
        .chain([(r#","stream":false"#, false)])
    {
        for path in ["/api/chat", "/api/generate"] {
            let asked = ask(path, &format!(r#"{{"model":"m"{stream}}}"#));
            assert_eq!((asked.model(), asked.stream()), (Some("m"), expected), "{path} {stream}");
        }
    }
    let asked =
        ask("/api/chat", r#"{"options":{"num_predict":7},"messages":[{"images":["aGk="]}]}"#);
    assert_eq!((asked.max_tokens(), asked.images()), (Some(7), true));
    assert_eq!(ask("/api/chat", r#"{"options":{"num_predict":-1}}"#).max_tokens(), None);
}

#[test]
fn messages_and_responses_are_parsed_like_chat() {
    let body = r#"{"model":"m","stream":true,"max_tokens":9,"tools":[{"name":"f"}],
        "messages":[{"content":[{"type":"image","source":{}}]}]}"#;
    let asked = ask("/v1/messages", body);
    assert_eq!((asked.model(), asked.stream(), asked.max_tokens()), (Some("m"), true, Some(9)));
    assert!(asked.tools() && asked.images());
    let body =
        r#"{"model":"m","max_output_tokens":8,"input":[{"content":[{"type":"input_image"}]}]}"#;
    let asked = ask("/v1/responses", body);
    assert_eq!((asked.model(), asked.stream(), asked.max_tokens()), (Some("m"), false, Some(8)));
    assert!(!asked.tools() && asked.images());
}

// === Answers through the layer ===

/// A stream of each dialect: its path, its content type, its start, its end, and an error in it.
const STREAMS: [[&str; 5]; 6] = [
    [
        "/v1/chat/completions",
        "text/event-stream",
        "data: {\"choices\":[{\"delta\":{\"content\":\"word\"}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
        "data: {\"error\":{\"message\":\"x\",\"type\":\"server_error\"}}\n\n",
    ],
    [
        "/v1/responses",
        "text/event-stream; charset=utf-8",
        "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"word\"}\n\n",
        "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\"}}\n\n",
        "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"x\"}\n\n",
    ],
    [
        "/v1/messages",
        "text/event-stream; charset=utf-8",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"word\"}}\n\n",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
    ],
    [
        "/v1beta/models/m:streamGenerateContent?alt=sse",
        "text/event-stream",
        "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"word\"}]}}]}\r\n\r\n",
        "data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\r\n\r\n",
        "data: {\"error\":{\"code\":503,\"status\":\"UNAVAILABLE\"}}\r\n\r\n",
    ],
    [
        "/v1beta/models/m:streamGenerateContent",
        "application/json; charset=UTF-8",
        "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"word\"}]}}]}\n",
        ",\r\n{\"candidates\":[{\"finishReason\":\"STOP\"}]}\n]\n",
        ",{\"error\":{\"code\":503,\"status\":\"UNAVAILABLE\"}}\n]",
    ],
    [
        "/api/chat",
        "application/x-ndjson",
        "{\"message\":{\"content\":\"word\"},\"done\":false}\n",
        "{\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\"}\n",
        "{\"error\":\"llama runner process has terminated\"}\n",
    ],
];

/// The result after the layer: the bytes, the failure of the body, and its endings.
async fn through(path: &str, kind: &str, pieces: &[&str], commit: CommitPolicy) -> Through {
    let pieces: Vec<_> =
        pieces.iter().map(|piece| Bytes::copy_from_slice(piece.as_bytes())).collect();
    let frames = pieces.into_iter().map(|data| Ok::<_, Infallible>(Frame::data(data)));
    let body = Body::wrap(StreamBody::new(stream::iter(frames)));
    let answer = http::Response::builder().header("content-type", kind).body(body).unwrap();
    let answer = Arc::new(Mutex::new(Some(answer)));
    let provider = service_fn(move |_: Request| {
        let answer = answer.lock().unwrap().take().expect("one call");
        async move { Ok::<_, Error>(answer) }
    });
    let request = http::Request::post(format!("https://api.example{path}"));
    let request = request.body(Bytes::from_static(b"{\"model\":\"m\",\"stream\":true}")).unwrap();
    let layer = ClassifyPolicy::default().commit(commit).build().unwrap();
    let answer = layer.layer(provider).oneshot(request).await.map_err(|error| error.outcome())?;
    let mut body = answer.into_body();
    let endings = Arc::new(Mutex::new(Vec::new()));
    let list = endings.clone();
    body.on_end(move |ending| list.lock().unwrap().push(*ending));
    let (mut text, mut failed) = (String::new(), None);
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap()),
            Err(error) => failed = Some(error.outcome()),
        }
    }
    drop(body);
    let endings = endings.lock().unwrap().clone();
    Ok((text, failed, endings))
}

type Through = Result<(String, Option<Outcome>, Vec<BodyEnd>), Outcome>;

const UNAVAILABLE: Outcome = Outcome::Unavailable { wait: None };

#[tokio::test(start_paused = true)]
async fn a_healthy_stream_of_any_dialect_comes_through_byte_for_byte() {
    for [path, kind, word, end, _] in STREAMS {
        for commit in [CommitPolicy::FirstContent, CommitPolicy::Complete] {
            let text = [word, end].concat();
            let (one, rest) = text.split_at(20);
            for pieces in [&[word, end][..], &[&text], &[one, "", rest]] {
                let came = through(path, kind, pieces, commit).await;
                // A stream that is complete when it is passed on has ended by then.
                assert_eq!(
                    came,
                    Ok((text.clone(), None, vec![BodyEnd::Done])),
                    "{path} {commit:?}"
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_any_dialect_that_is_cut_is_truncated() {
    for [path, kind, word, end, _] in STREAMS {
        for cut in ["", &end[..12]] {
            let pieces = [word, cut];
            let text = pieces.concat();
            let expected = (text, Some(Outcome::Truncated), vec![BodyEnd::Truncated]);
            let came = through(path, kind, &pieces, CommitPolicy::FirstContent).await;
            assert_eq!(came, Ok(expected), "{path} {cut}");
            let came = through(path, kind, &pieces, CommitPolicy::Complete).await;
            assert_eq!(came, Err(Outcome::Truncated), "{path} {cut}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_in_a_stream_of_any_dialect_is_an_error() {
    for [path, kind, word, end, error] in STREAMS {
        let came = through(path, kind, &[word, error, end], CommitPolicy::FirstContent).await;
        let expected =
            ([word, error].concat(), Some(UNAVAILABLE), vec![BodyEnd::Failed(UNAVAILABLE)]);
        assert_eq!(came, Ok(expected), "{path}");
        let came = through(path, kind, &[word, error, end], CommitPolicy::Complete).await;
        assert_eq!(came, Err(UNAVAILABLE), "{path}");
        let first = error.replacen(",{", "[{", 1);
        let came = through(path, kind, &[&first], CommitPolicy::FirstContent).await;
        assert_eq!(came, Err(UNAVAILABLE), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_answer_of_any_dialect_is_empty_and_a_page_is_malformed() {
    for [path, kind, _, end, _] in STREAMS {
        let end = end.replacen(",\r\n{", "[{", 1);
        for pieces in [&[][..], &["\n"], &[end.as_str()]] {
            let came = through(path, kind, pieces, CommitPolicy::FirstContent).await;
            assert_eq!(came, Err(Outcome::Empty), "{path} {pieces:?}");
        }
        let came = through(path, kind, &["<html>sorry</html>"], CommitPolicy::FirstContent).await;
        assert_eq!(came, Err(Outcome::Malformed), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_streamed_becomes_the_stream_that_was_asked_for() {
    for (path, body, starts) in [
        (
            "/v1/messages",
            r#"{"type":"message","content":[{"type":"text","text":"a"}]}"#,
            "event: message_start\n",
        ),
        (
            "/v1/responses",
            r#"{"status":"completed","output":[{"type":"function_call"}]}"#,
            "event: response.created\n",
        ),
        (
            "/v1beta/models/m:streamGenerateContent",
            r#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}"#,
            "[{",
        ),
        (
            "/v1beta/models/m:streamGenerateContent?alt=sse",
            r#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}"#,
            "data: {",
        ),
        // One line of Ollama is a stream already.
        ("/api/generate", r#"{"response":"a","done":true}"#, r#"{"response":"a","done":true}"#),
    ] {
        let came = through(path, "application/json", &[body], CommitPolicy::FirstContent).await;
        let (bytes, failed, endings) = came.unwrap();
        assert!(bytes.starts_with(starts), "{path} {bytes:?}");
        assert_eq!((failed, endings), (None, vec![BodyEnd::Done]), "{path}");
    }
}

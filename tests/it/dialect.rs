//! What a request asks for.

use bytes::Bytes;
use evenkeel::dialect::{Ask, Dialect};

fn ask(path: &str, body: &str) -> Ask {
    let uri = format!("https://api.example{path}");
    let body = Bytes::copy_from_slice(body.as_bytes());
    Ask::read(&http::Request::post(uri).body(body).unwrap())
}

fn chat(body: &str) -> Ask {
    ask("/v1/chat/completions", body)
}

#[test]
fn the_path_tells_the_dialect() {
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
fn a_request_is_read_in_one_go() {
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
fn what_is_not_asked_is_not_read() {
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

//! One call, and what came of it.

use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;

use super::process::Any;

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A whole answer.
    Whole,
    /// An error of HTTP with a JSON body.
    Refused,
    /// A stream that ended with an error event.
    BrokenWithWord,
    /// Anything else: no answer, or an end without a word.
    Wrong(&'static str),
}

/// The dialects that are called.
const PATHS: [&str; 3] = ["/v1/chat/completions", "/v1/responses", "/v1/messages"];

/// One request; `n` chooses the dialect and whether it is streamed.
pub(crate) fn request(
    client: &Client,
    url: &str,
    n: u64,
    key: &str,
    model: &str,
) -> RequestBuilder {
    let path = PATHS[(n / 2 % 3) as usize];
    let question = match path {
        "/v1/responses" => r#""input":"Where is my parcel?""#,
        _ => r#""max_tokens":500,"messages":[{"role":"user","content":"Where is my parcel?"}]"#,
    };
    let stream = n % 2 == 0;
    let body = format!(r#"{{"model":"{model}","stream":{stream},{question}}}"#);
    client
        .post(format!("{url}{path}"))
        .header("content-type", "application/json")
        .bearer_auth(key)
        .body(body)
}

/// Sends a request and reads the answer to its end.
pub(crate) async fn read(request: RequestBuilder) -> Answer {
    let Ok(response) = request.send().await else { return Answer::Wrong("no answer") };
    rest(response).await.unwrap_or(Answer::Wrong("the body broke off"))
}

async fn rest(response: Response) -> Result<Answer, Any> {
    let status = response.status();
    let kind = response.headers().get("content-type").cloned();
    let streamed = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    let text = response.text().await?;
    Ok(match (status.is_success(), streamed) {
        (false, _) if is_error(&text) => Answer::Refused,
        (false, _) => Answer::Wrong("an error without a word"),
        (true, true) => end_of_stream(&text),
        (true, false) if serde_json::from_str::<Value>(&text).is_ok_and(|it| it.is_object()) => {
            Answer::Whole
        }
        (true, false) => Answer::Wrong("an answer that is not JSON"),
    })
}

fn is_error(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|body| !body["error"].is_null())
}

fn end_of_stream(text: &str) -> Answer {
    let data = text.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
    let ends = |data: &str| {
        data == "[DONE]"
            || data.contains(r#""type":"message_stop""#)
            || data.contains(r#""type":"response.completed""#)
            // The sentinel after it may be missing.
            || data.contains(r#""finish_reason":"stop""#)
            || data.contains(r#""stop_reason":"end_turn""#)
    };
    let (mut whole, mut word) = (false, false);
    for data in data {
        whole |= ends(data);
        word |= data.contains(r#""error":{"#)
            || data.contains(r#""type":"response.failed""#)
            || data.contains(r#""type":"error""#);
    }
    match (whole, word) {
        (_, true) => Answer::BrokenWithWord,
        (true, false) => Answer::Whole,
        (false, false) => Answer::Wrong("a stream without an end"),
    }
}

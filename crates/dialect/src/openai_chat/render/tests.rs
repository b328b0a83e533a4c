use serde::Deserialize;

use super::*;
use crate::{Dialect, StreamMonitor, outcome::Outcome};

/// As strict as a typed client: no field may be missing or unknown.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Answer {
    id: String,
    object: String,
    created: u32,
    model: String,
    system_fingerprint: Option<String>,
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Choice {
    index: u32,
    message: Option<Message>,
    delta: Option<Message>,
    logprobs: Option<String>,
    finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Message {
    role: Option<String>,
    content: Option<String>,
    refusal: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Usage {
    prompt_tokens: u32,
    completion_tokens: u32,
    total_tokens: u32,
}

const TEXT: &str = "We are \"busy\":\nplease\tcome back. 🐎\u{1}\r\n\r\n";

fn ask(stream: bool, stream_usage: bool) -> RequestInfo {
    RequestInfo {
        model: Some("a \"model\"".into()),
        stream,
        stream_usage,
        ..RequestInfo::default()
    }
}

fn rendered(ask: &RequestInfo) -> (String, String) {
    let response = render(TEXT, ask);
    assert_eq!(response.status(), 200);
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    let body = response.body().to_vec();
    (kind, String::from_utf8(body).unwrap())
}

#[test]
fn a_text_is_an_answer_to_a_strict_client() {
    let (kind, body) = rendered(&ask(false, false));
    assert_eq!(kind, "application/json");
    assert_eq!(
        Dialect::OpenAiChat.check(&crate::outcome::ErrorCodeTable::default(), body.as_bytes()).0,
        Ok(Outcome::Success)
    );
    let answer: Answer = serde_json::from_str(&body).unwrap();
    assert_eq!((&*answer.object, &*answer.model), ("chat.completion", "a \"model\""));
    assert!(answer.id.starts_with("chatcmpl-") && answer.created > 1_700_000_000);
    let choice = &answer.choices[0];
    assert_eq!(choice.message.as_ref().unwrap().content.as_deref(), Some(TEXT));
    assert_eq!(choice.finish_reason.as_deref(), Some("stop"));
    let usage = answer.usage.unwrap();
    assert_eq!(usage.prompt_tokens + usage.completion_tokens + usage.total_tokens, 0);
}

#[test]
fn a_text_is_a_stream_to_a_strict_client() {
    for usage in [false, true] {
        let (kind, body) = rendered(&ask(true, usage));
        assert!(kind.starts_with("text/event-stream"));
        let mut watch =
            StreamMonitor::new(Dialect::OpenAiChat, &crate::outcome::ErrorCodeTable::default());
        assert_eq!((watch.feed(body.as_bytes()).content, watch.outcome()), (1, Outcome::Success));
        let (chunks, done) = body.split_once("data: [DONE]\n\n").unwrap();
        assert_eq!(done, "");
        let chunks: Vec<Answer> = chunks
            .split_terminator("\n\n")
            .map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap())
            .collect();
        assert!(chunks.iter().all(|chunk| chunk.object == "chat.completion.chunk"));
        assert!(chunks.iter().all(|chunk| chunk.id == chunks[0].id));
        let deltas =
            chunks.iter().flat_map(|chunk| &chunk.choices).flat_map(|choice| &choice.delta);
        let text: String = deltas.flat_map(|delta| delta.content.clone()).collect();
        assert_eq!(text, TEXT);
        let finish =
            chunks.iter().flat_map(|chunk| &chunk.choices).filter(|c| c.finish_reason.is_some());
        assert_eq!(finish.count(), 1);
        assert_eq!(chunks.last().unwrap().usage.is_some(), usage);
        assert_eq!(watch.usage().is_some(), usage);
    }
}

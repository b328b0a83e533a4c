//! Tests that the dialect's parser reads a converted stream as a client would.

use super::*;
use crate::{Request, StreamMonitor, Usage, outcome::Outcome};

fn ask(path: &str, body: &str) -> RequestInfo {
    let request: Request = http::Request::post(path).body(body.to_owned().into()).unwrap();
    RequestInfo::read(&request)
}

const CHAT: &str = r#"{"id":"c1","object":"chat.completion","created":1,"model":"m-1","choices":[{"index":0,"message":{"role":"assistant","content":"hi\nthere","reasoning_content":"hm","tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10},"system_fingerprint":"fp"}"#;
const MESSAGE: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"c","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"hi"},{"type":"tool_use","id":"t1","name":"f","input":{"a": 1}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":7,"output_tokens":3}}"#;
const RESPONSE: &str = r#"{"id":"resp_1","object":"response","status":"completed","error":null,"model":"m","output":[{"type":"reasoning","id":"rs_1","summary":[]},{"type":"message","id":"msg_1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"hi","annotations":[]}]},{"type":"function_call","id":"fc_1","call_id":"t1","name":"f","arguments":"{\"a\":1}","status":"completed"}],"usage":{"input_tokens":7,"output_tokens":3,"total_tokens":10}}"#;
const GEMINI: &str = "{\n \"candidates\": [{\"content\": {\"parts\": [{\"text\": \"hi\"},{\"functionCall\":{\"name\":\"f\",\"args\":{}}}], \"role\": \"model\"}, \"finishReason\": \"STOP\"}],\n \"usageMetadata\": {\"promptTokenCount\": 7, \"candidatesTokenCount\": 3}}\n";
const OLLAMA: &str = r#"{"model":"l","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"hi","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},"done":true,"done_reason":"stop","prompt_eval_count":7,"eval_count":3}"#;
const GENERATE: &str = r#"{"model":"l","response":"hi","done":true,"done_reason":"stop","context":[1],"prompt_eval_count":7,"eval_count":3}"#;

const CASES: [(&str, &str, &str); 7] = [
    ("/v1/chat/completions", r#"{"stream":true,"stream_options":{"include_usage":true}}"#, CHAT),
    ("/v1/messages", r#"{"stream":true}"#, MESSAGE),
    ("/v1/responses", r#"{"stream":true}"#, RESPONSE),
    ("/v1beta/models/g:streamGenerateContent?alt=sse", "{}", GEMINI),
    ("/v1beta/models/g:streamGenerateContent", "{}", GEMINI),
    ("/api/chat", "{}", OLLAMA),
    ("/api/generate", "{}", GENERATE),
];

#[test]
fn every_answer_becomes_a_whole_stream_of_its_dialect_with_its_usage() {
    for (path, request, answer) in CASES {
        let ask = ask(path, request);
        let dialect = ask.dialect().unwrap();
        let (_, stream) = dialect.streamed(answer.as_bytes(), &ask).unwrap();
        let mut watch = StreamMonitor::new(dialect, &crate::outcome::ErrorCodeTable::default());
        let _seen = watch.feed(stream.as_bytes());
        assert_eq!(watch.outcome(), Outcome::Success, "{path}: {stream}");
        assert_eq!(watch.usage(), Some(Usage::new(7, 3)), "{path}: {stream}");
    }
}

#[test]
fn a_chat_stream_has_usage_only_where_it_was_asked() {
    let plain = ask("/v1/chat/completions", r#"{"stream":true}"#);
    let (kind, stream) = Dialect::OpenAiChat.streamed(CHAT.as_bytes(), &plain).unwrap();
    assert!(kind.starts_with("text/event-stream") && !stream.contains("usage"), "{stream}");
    let events: Vec<_> = stream.split("\n\n").collect();
    assert_eq!(
        events[0],
        r#"data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m-1","choices":[{"index":0,"logprobs":null,"finish_reason":null,"delta":{"role":"assistant","content":"hi\nthere","reasoning_content":"hm","tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"},"index":0}]}}],"system_fingerprint":"fp"}"#
    );
    assert!(events[1].contains(r#""finish_reason":"tool_calls","delta":{}"#), "{}", events[1]);
    assert_eq!(events[2], "data: [DONE]");
}

#[test]
fn the_blocks_of_a_message_grow_from_nothing() {
    let ask = ask("/v1/messages", r#"{"stream":true}"#);
    let (_, stream) = Dialect::Anthropic.streamed(MESSAGE.as_bytes(), &ask).unwrap();
    for event in [
        r#""content_block":{"type":"thinking","thinking":"","signature":""}"#,
        r#""delta":{"type":"signature_delta","signature":"s"}"#,
        r#""delta":{"type":"text_delta","text":"hi"}"#,
        r#""content_block":{"type":"tool_use","id":"t1","name":"f","input":{}}"#,
        r#""delta":{"type":"input_json_delta","partial_json":"{\"a\": 1}"}"#,
        r#""delta":{"stop_reason":"tool_use","stop_sequence":null}"#,
    ] {
        assert!(stream.contains(event), "{event}: {stream}");
    }
}

#[test]
fn what_is_no_answer_becomes_no_stream() {
    for (path, request, _) in CASES {
        let ask = ask(path, request);
        for body in ["", "x", "[]", "{}", "null", r#"{"error":{}}"#, r#"{"choices":[{}]}"#] {
            assert_eq!(
                ask.dialect().unwrap().streamed(body.as_bytes(), &ask),
                None,
                "{path} {body}"
            );
        }
    }
}

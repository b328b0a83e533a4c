//! Tests that a stream and its whole answer have the same content.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{Dialect, Request, RequestInfo, outcome::ErrorCodeTable};

const PATHS: [(&str, &str); 7] = [
    ("/v1/chat/completions", r#"{"stream":true,"stream_options":{"include_usage":true}}"#),
    ("/v1/messages", r#"{"stream":true}"#),
    ("/v1/responses", r#"{"stream":true}"#),
    ("/v1beta/models/g:streamGenerateContent?alt=sse", "{}"),
    ("/v1beta/models/g:streamGenerateContent", "{}"),
    ("/api/chat", "{}"),
    ("/api/generate", "{}"),
];

fn ask(path: &str, body: &str) -> RequestInfo {
    let request: Request = http::Request::post(path).body(body.to_owned().into()).unwrap();
    RequestInfo::read(&request)
}

fn events(data: &[Value]) -> String {
    data.iter().map(|data| format!("data: {data}\n\n")).collect()
}

fn folded(dialect: Dialect, stream: &str) -> Value {
    let whole = dialect.folded(stream.as_bytes()).expect("an answer");
    assert!(dialect.check(&ErrorCodeTable::default(), whole.as_bytes()).0.is_ok(), "{whole}");
    serde_json::from_str(&whole).unwrap()
}

/// An answer with that text, reasoning and input of a tool, in the dialect of the path.
fn whole(path: &str, text: &str, reasoning: &str, input: &Value) -> Value {
    let arguments = input.to_string();
    match path {
        "/v1/chat/completions" => {
            let choice = |index: u64| {
                let call = json!({"id": "t1", "type": "function", "function": {"name": "f", "arguments": arguments}});
                let message = json!({"role": "assistant", "content": text, "reasoning_content": reasoning, "tool_calls": [call]});
                json!({"index": index, "message": message, "logprobs": null, "finish_reason": "tool_calls"})
            };
            json!({"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice(0), choice(1)],
                "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}, "system_fingerprint": "fp"})
        }
        "/v1/messages" => json!({
            "id": "m1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "tool_use", "stop_sequence": null,
            "content": [{"type": "thinking", "thinking": reasoning, "signature": "s"}, {"type": "text", "text": text},
                {"type": "tool_use", "id": "t1", "name": "f", "input": input}],
            "usage": {"input_tokens": 7, "output_tokens": 3}}),
        "/v1/responses" => json!({
            "id": "r1", "object": "response", "status": "completed", "error": null, "model": "m",
            "output": [{"type": "message", "id": "i1", "status": "completed", "role": "assistant",
                "content": [{"type": "output_text", "text": text, "annotations": []}]},
                {"type": "function_call", "id": "i2", "call_id": "t1", "name": "f", "arguments": arguments, "status": "completed"}],
            "usage": {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}}),
        "/api/chat" => json!({
            "model": "m", "created_at": "t", "done": true, "done_reason": "stop", "prompt_eval_count": 7, "eval_count": 3,
            "message": {"role": "assistant", "content": text, "thinking": reasoning,
                "tool_calls": [{"function": {"name": "f", "arguments": input}}]}}),
        "/api/generate" => json!({
            "model": "m", "response": text, "thinking": reasoning, "done": true, "done_reason": "stop", "context": [1],
            "prompt_eval_count": 7, "eval_count": 3}),
        _ => json!({
            "responseId": "g1", "modelVersion": "m", "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 3},
            "candidates": [{"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": [
                {"text": reasoning, "thought": true}, {"text": text},
                {"functionCall": {"name": "f", "args": input}, "thoughtSignature": "s"}]}}]}),
    }
}

proptest! {
    #[test]
    fn a_whole_answer_comes_back_from_its_stream(
        text in "[a-zé🎉\\\\\"\n{}:, ]{1,30}",
        reasoning in "[a-zé\\\\\"\r\n ]{1,30}",
        input in prop::collection::btree_map("[a-z]{1,4}", "[a-z\"\\\\é\n]{0,6}", 0..3),
    ) {
        let input = json!(input);
        for (path, body) in PATHS {
            let (ask, whole) = (ask(path, body), whole(path, &text, &reasoning, &input));
            let dialect = ask.dialect().unwrap();
            let (_, stream) = dialect.streamed(whole.to_string().as_bytes(), &ask).unwrap();
            prop_assert_eq!(folded(dialect, &stream), whole, "{}", path);
        }
    }

    #[test]
    fn no_stream_makes_it_panic(text in r#"(\{|\}|\[|\]|data: |\n\n|"(type|index|delta|choices|message|content_block_delta|candidates|parts|tool_calls|item)"|:|,|1|null|true){0,40}"#) {
        for (path, body) in PATHS {
            let _ = ask(path, body).dialect().unwrap().folded(text.as_bytes());
        }
    }
}

#[test]
fn the_pieces_of_a_chat_are_joined_by_choice_and_call() {
    let chunk = |index: u64, delta: Value, finish: Value| {
        json!({"id": "c1", "object": "chat.completion.chunk", "model": "m",
            "choices": [{"index": index, "delta": delta, "finish_reason": finish}]})
    };
    let call = |index: u64, id: Value, name: Value, arguments: &str| {
        json!({"tool_calls": [{"index": index, "id": id, "type": "function",
            "function": {"name": name, "arguments": arguments}}]})
    };
    let none = Value::Null;
    let stream = events(&[
        json!({"id": "", "model": "", "choices": [], "prompt_filter_results": [1]}),
        chunk(1, json!({"role": "assistant", "content": "o"}), none.clone()),
        chunk(0, json!({"role": "assistant", "content": null}), none.clone()),
        chunk(0, call(0, "t0".into(), "f".into(), "{\"a\""), none.clone()),
        none.clone(),
        chunk(1, json!({"content": "ne"}), none.clone()),
        chunk(0, call(1, "t1".into(), "g".into(), ""), none.clone()),
        chunk(0, call(0, none.clone(), none.clone(), ":1}"), none.clone()),
        chunk(0, call(1, "".into(), "g".into(), "{}"), none.clone()),
        chunk(1, json!({}), "length".into()),
        chunk(0, json!({}), "tool_calls".into()),
        json!({"id": "c1", "choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}),
        "[DONE]".into(),
    ]);
    let whole = folded(Dialect::OpenAiChat, &stream.replace("\"[DONE]\"", "[DONE]"));
    let call = |id: &str, name: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}});
    let message = &whole["choices"][0]["message"];
    assert_eq!(message["tool_calls"], json!([call("t0", "f", "{\"a\":1}"), call("t1", "g", "{}")]));
    assert_eq!((&message["role"], &message["content"]), (&"assistant".into(), &none));
    assert_eq!(whole["choices"][1]["message"], json!({"role": "assistant", "content": "one"}));
    assert_eq!(whole["choices"][1]["finish_reason"], "length");
    assert_eq!((&whole["id"], &whole["model"]), (&"c1".into(), &"m".into()));
    assert_eq!(
        (&whole["usage"]["completion_tokens"], &whole["object"]),
        (&3.into(), &"chat.completion".into())
    );
}

#[test]
fn the_deltas_of_a_message_are_joined_by_block() {
    let delta = |index: u64, delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
    let start = |index: u64, block: Value| json!({"type": "content_block_start", "index": index, "content_block": block});
    let stream = events(&[
        json!({"type": "message_start", "message": {"id": "m1", "type": "message", "role": "assistant", "model": "m",
            "content": [], "stop_reason": null, "usage": {"input_tokens": 7, "output_tokens": 1}}}),
        json!({"type": "ping"}),
        start(0, json!({"type": "text", "text": ""})),
        delta(0, json!({"type": "text_delta", "text": "hi "})),
        delta(0, json!({"type": "text_delta", "text": "you"})),
        delta(0, json!({"type": "citations_delta", "citation": {"a": 1}})),
        start(1, json!({"type": "tool_use", "id": "t1", "name": "f", "input": {}})),
        delta(1, json!({"type": "input_json_delta", "partial_json": "{\"a\":"})),
        delta(1, json!({"type": "input_json_delta", "partial_json": "[1]}"})),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 3}}),
        json!({"type": "message_stop"}),
    ]);
    let whole = folded(Dialect::Anthropic, &stream);
    assert_eq!(
        whole["content"],
        json!([{"type": "text", "text": "hi you", "citations": [{"a": 1}]},
            {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": [1]}}])
    );
    assert_eq!(whole["usage"], json!({"input_tokens": 7, "output_tokens": 3}));
    let broken = stream.replace("[1]}", "[1");
    assert_eq!(Dialect::Anthropic.folded(broken.as_bytes()), None);
}

#[test]
fn a_response_without_output_has_that_of_its_events() {
    let stream = events(&[
        json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "content": []}}),
        json!({"type": "response.output_text.delta", "output_index": 0, "delta": "o"}),
        json!({"type": "response.output_text.delta", "output_index": 0, "delta": "k"}),
        json!({"type": "response.output_item.done", "output_index": 1, "item": {"type": "function_call", "arguments": "{}"}}),
        json!({"type": "response.completed", "response": {"id": "r1", "status": "completed", "output": []}}),
    ]);
    let whole = folded(Dialect::OpenAiResponses, &stream);
    assert_eq!(whole["output"][0]["content"][0]["text"], "ok");
    assert_eq!((&whole["output"][1]["arguments"], &whole["id"]), (&"{}".into(), &"r1".into()));
}

#[test]
fn chunks_and_lines_are_one_answer() {
    let chunk = |text: &str, finish: Value| json!({"candidates": [{"content": {"parts": [{"text": text}]}, "finishReason": finish}]});
    let chunks = [chunk("o", Value::Null), chunk("k", Value::Null), chunk("", "STOP".into())];
    let array = Value::from(chunks.to_vec()).to_string();
    for stream in [events(&chunks), array] {
        let whole = folded(Dialect::Gemini, &stream);
        assert_eq!(
            whole["candidates"][0]["content"],
            json!({"role": "model", "parts": [{"text": "ok"}]})
        );
        assert_eq!(whole["candidates"][0]["finishReason"], "STOP");
    }
    let line = |text: &str, done: bool| json!({"message": {"role": "assistant", "content": text}, "done": done});
    let lines = [line("o", false), line("k", false), line("", true)];
    let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    for stream in [events(&lines), text] {
        let whole = folded(Dialect::Ollama, &stream);
        assert_eq!(whole, json!({"message": {"role": "assistant", "content": "ok"}, "done": true}));
    }
}

#[test]
fn a_body_that_is_no_stream_of_the_dialect_is_no_answer() {
    for (path, body) in PATHS {
        let dialect = ask(path, body).dialect().unwrap();
        for stream in [
            "",
            "<html>",
            "data: null\n\n",
            "data: [DONE]\n\n",
            ": comment\n\n",
            "data: {}\n\n",
            "{}",
        ] {
            assert_eq!(dialect.folded(stream.as_bytes()), None, "{path} {stream:?}");
        }
    }
}

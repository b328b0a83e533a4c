use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{RequestInfo, StreamMonitor};

/// One unstreamed answer of each dialect, with the path of its request.
const PATHS: [(Dialect, &str); 6] = [
    (Dialect::OpenAiChat, "/v1/chat/completions"),
    (Dialect::OpenAiResponses, "/v1/responses"),
    (Dialect::Anthropic, "/v1/messages"),
    (Dialect::Gemini, "/v1beta/models/m:streamGenerateContent?alt=sse"),
    (Dialect::Gemini, "/v1beta/models/m:streamGenerateContent"),
    (Dialect::Ollama, "/api/chat"),
];

/// The parts of an answer, in any dialect.
#[derive(Clone, Debug)]
struct Answer {
    text: String,
    reasoning: bool,
    tool: bool,
    /// The answer was cut at a limit.
    limited: bool,
    input: u64,
    output: u64,
    cached: u64,
}

// === impl Answer ===

impl Answer {
    /// The answer in a dialect, in one piece.
    fn whole(&self, dialect: Dialect) -> Value {
        match dialect {
            Dialect::OpenAiChat => self.chat(),
            Dialect::OpenAiResponses => self.response(),
            Dialect::Anthropic => self.message(),
            Dialect::Gemini => self.candidate(),
            Dialect::Ollama => self.line(),
        }
    }

    fn chat(&self) -> Value {
        let mut message = json!({"role": "assistant", "content": self.text});
        if self.reasoning {
            message["reasoning_content"] = "hm".into();
        }
        if self.tool {
            message["tool_calls"] = json!([{"id": "t", "type": "function", "function": {"name": "f", "arguments": "{}"}}]);
        }
        let reason = match (self.limited, self.tool) {
            (true, _) => "length",
            (false, true) => "tool_calls",
            (false, false) => "stop",
        };
        json!({
            "id": "c", "object": "chat.completion", "model": "m",
            "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": reason}],
            "usage": {"prompt_tokens": self.input, "completion_tokens": self.output},
        })
    }

    fn response(&self) -> Value {
        let mut output = Vec::new();
        if self.reasoning {
            let summary = [json!({"type": "summary_text", "text": "hm"})];
            output.push(json!({"type": "reasoning", "id": "rs", "summary": summary}));
        }
        let text = json!({"type": "output_text", "text": self.text, "annotations": []});
        output
            .push(json!({"type": "message", "id": "msg", "role": "assistant", "content": [text]}));
        if self.tool {
            output
                .push(json!({"type": "function_call", "id": "fc", "name": "f", "arguments": "{}"}));
        }
        let details = self.limited.then(|| json!({"reason": "max_output_tokens"}));
        json!({
            "id": "r", "object": "response", "model": "m", "error": null, "output": output,
            "status": if self.limited { "incomplete" } else { "completed" },
            "incomplete_details": details,
            "usage": {"input_tokens": self.input, "output_tokens": self.output},
        })
    }

    fn message(&self) -> Value {
        let mut content = Vec::new();
        if self.reasoning {
            content.push(json!({"type": "thinking", "thinking": "hm", "signature": "s"}));
        }
        content.push(json!({"type": "text", "text": self.text}));
        if self.tool {
            content.push(json!({"type": "tool_use", "id": "t", "name": "f", "input": {}}));
        }
        let reason = match (self.limited, self.tool) {
            (true, _) => "max_tokens",
            (false, true) => "tool_use",
            (false, false) => "end_turn",
        };
        json!({
            "id": "msg", "type": "message", "role": "assistant", "model": "m", "content": content,
            "stop_reason": reason, "stop_sequence": null,
            "usage": {
                "input_tokens": self.input, "cache_read_input_tokens": self.cached,
                "cache_creation_input_tokens": 0, "output_tokens": self.output,
            },
        })
    }

    fn candidate(&self) -> Value {
        let mut parts = Vec::new();
        if self.reasoning {
            parts.push(json!({"text": "hm", "thought": true}));
        }
        parts.push(json!({"text": self.text}));
        if self.tool {
            parts.push(json!({"functionCall": {"name": "f", "args": {}}}));
        }
        json!({
            "candidates": [{
                "content": {"parts": parts, "role": "model"},
                "finishReason": if self.limited { "MAX_TOKENS" } else { "STOP" },
            }],
            "usageMetadata": {"promptTokenCount": self.input, "candidatesTokenCount": self.output},
            "modelVersion": "m", "responseId": "g",
        })
    }

    fn line(&self) -> Value {
        let mut message = json!({"role": "assistant", "content": self.text});
        if self.reasoning {
            message["thinking"] = "hm".into();
        }
        if self.tool {
            message["tool_calls"] = json!([{"function": {"name": "f", "arguments": {}}}]);
        }
        json!({
            "model": "m", "message": message, "done": true,
            "done_reason": if self.limited { "length" } else { "stop" },
            "prompt_eval_count": self.input, "eval_count": self.output,
        })
    }
}

fn answers() -> impl Strategy<Value = Answer> {
    let text = prop::sample::select(vec!["a", "two words", "é \"quoted\"\n", " "]);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let counts = (0_u64..5000, 0_u64..5000, 0_u64..5000);
    (text, flags, counts).prop_map(|(text, (reasoning, tool, limited), (input, output, cached))| {
        Answer { text: text.into(), reasoning, tool, limited, input, output, cached }
    })
}

/// The stream of an answer, in the form of that path.
fn streamed(dialect: Dialect, path: &str, whole: &[u8]) -> Vec<u8> {
    let body = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#;
    let info = RequestInfo::read(&http::Request::post(path).body(body.into()).unwrap());
    let response = dialect.stream_of(http::Response::new(()), whole, &info).unwrap();
    response.into_body().to_vec()
}

/// The usage and the outcome of the live stream.
fn live(dialect: Dialect, stream: &[u8]) -> (Option<Usage>, crate::outcome::Outcome) {
    let mut monitor = StreamMonitor::new(dialect, &ErrorCodeTable::default());
    assert!(monitor.feed(stream).failed.is_none());
    let outcome = monitor.finish().unwrap_or_else(|why| why.outcome());
    (monitor.usage(), outcome)
}

proptest! {
    #[test]
    fn the_streamed_and_the_unstreamed_form_of_an_answer_say_the_same(answer in answers()) {
        for (dialect, path) in PATHS {
            let whole = answer.whole(dialect).to_string().into_bytes();
            let stream = streamed(dialect, path, &whole);
            let summary = AnswerSummary::read(dialect, false, &whole).unwrap();
            prop_assert_eq!(summary.text.as_deref(), Some(&*answer.text), "{}", path);
            prop_assert_eq!(
                (summary.whole, summary.plain, summary.tools),
                (!answer.limited, !answer.reasoning && !answer.tool, answer.tool),
                "{}", path
            );
            prop_assert_eq!(summary.model.as_deref(), Some("m"), "{}", path);
            let again = AnswerSummary::read(dialect, true, &stream).unwrap();
            prop_assert_eq!(&again, &summary, "{}: {}", path, String::from_utf8_lossy(&stream));
            // A stored answer has the usage of the live answer.
            let (outcome, facts) = dialect.check(&ErrorCodeTable::default(), &whole);
            prop_assert_eq!(facts.usage, summary.tokens);
            prop_assert_eq!(live(dialect, &stream), (summary.tokens, outcome.unwrap()), "{}", path);
        }
    }

    #[test]
    fn any_split_of_the_bytes_costs_the_same(answer in answers(), size in 1_usize..40) {
        for (dialect, path) in PATHS {
            let stream = streamed(dialect, path, answer.whole(dialect).to_string().as_bytes());
            let mut monitor = StreamMonitor::new(dialect, &ErrorCodeTable::default());
            stream.chunks(size).for_each(|piece| drop(monitor.feed(piece)));
            let split = (monitor.usage(), monitor.finish().unwrap_or_else(|why| why.outcome()));
            prop_assert_eq!(split, live(dialect, &stream), "{}", path);
        }
    }
}

fn events(events: &[Value]) -> String {
    events.iter().map(|event| format!("data: {event}\n\n")).collect()
}

#[test]
fn what_a_stored_stream_cost_is_what_it_cost_live() {
    let message = |usage: Value| json!({"type": "message_start", "message": {"type": "message", "model": "m", "content": [], "usage": usage}});
    let delta = |usage: Value| json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage});
    let start = json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}});
    let word = json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "word"}});
    let chat = |usage: Value| json!({"choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": "stop"}], "usage": usage});
    let gemini = |usage: Value| json!({"candidates": [{"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"}], "usageMetadata": usage});
    let cached = json!({"input_tokens": 10, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 0, "output_tokens": 1});
    for (dialect, stream, tokens) in [
        (
            Dialect::Anthropic,
            events(&[message(cached.clone()), start.clone(), word.clone(), delta(json!({"input_tokens": 10, "output_tokens": 15}))]),
            Usage::new(110, 15).with_cached(100),
        ),
        (
            Dialect::Anthropic,
            events(&[message(cached), start, word, delta(json!({"output_tokens": 15}))]),
            Usage::new(110, 15).with_cached(100),
        ),
        (
            Dialect::OpenAiChat,
            events(&[chat(Value::Null), json!({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}})]),
            Usage::new(7, 3),
        ),
        // The counts are running totals: the last one counts. A count that is omitted stays.
        (
            Dialect::OpenAiChat,
            events(&[chat(json!({"prompt_tokens": 7, "completion_tokens": 1})), json!({"choices": [], "usage": {"completion_tokens": 3}})]),
            Usage::new(0, 3),
        ),
        (
            Dialect::Gemini,
            events(&[gemini(json!({"promptTokenCount": 7, "thoughtsTokenCount": 2, "candidatesTokenCount": 3}))]),
            Usage { reasoning: 2, ..Usage::new(7, 5) },
        ),
        (
            Dialect::OpenAiResponses,
            events(&[json!({"type": "response.completed", "response": {"status": "completed", "output": [], "usage": {"input_tokens": 7, "output_tokens": 3}}})]),
            Usage::new(7, 3),
        ),
        (
            Dialect::Ollama,
            "{\"message\":{\"content\":\"a\"}}\n{\"done\":true,\"prompt_eval_count\":7,\"eval_count\":3}\n".into(),
            Usage::new(7, 3),
        ),
    ] {
        let stored = AnswerSummary::read(dialect, true, stream.as_bytes()).unwrap().tokens;
        let mut monitor = StreamMonitor::new(dialect, &ErrorCodeTable::default());
        let _seen = monitor.feed(stream.as_bytes());
        assert_eq!((stored, monitor.usage()), (Some(tokens), Some(tokens)), "{dialect:?}: {stream}");
    }
}

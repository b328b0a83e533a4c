//! Providers that reject what their API does not take.

use serde_json::{Map, Value, json};

use crate::reply::Reply;

/// What a provider rejects, in the words and the statuses of a real one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strict {
    /// As Mistral's chat completions: 422 `extra_forbidden` for every field that is not one of its own, and for the role
    /// `developer`.
    Mistral,
    /// As OpenAI's reasoning models: 400 for `max_tokens`, for a `temperature` or `top_p` other than 1, and for penalties and
    /// log-probabilities.
    OpenAiReasoning,
    /// As Anthropic's messages: 400 for a field that is not one of its own, a missing `max_tokens`, an empty text, and the results
    /// of tools that do not follow their calls.
    Anthropic,
}

const MISTRAL: [&str; 18] = [
    "model",
    "messages",
    "temperature",
    "top_p",
    "max_tokens",
    "stream",
    "stop",
    "random_seed",
    "response_format",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "presence_penalty",
    "frequency_penalty",
    "n",
    "prediction",
    "prompt_mode",
    "safe_prompt",
];

const ANTHROPIC: [&str; 15] = [
    "model",
    "messages",
    "system",
    "max_tokens",
    "metadata",
    "stop_sequences",
    "stream",
    "temperature",
    "top_p",
    "top_k",
    "tools",
    "tool_choice",
    "thinking",
    "service_tier",
    "output_config",
];

/// Fields that reasoning models do not take at all.
const NOT_REASONING: [&str; 5] =
    ["presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs"];

// === impl Strict ===

impl Strict {
    /// The reply to a request that is rejected; `None` for one that is taken.
    pub(super) fn reject(self, body: &[u8]) -> Option<Reply> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let fields = body.as_object()?;
        match self {
            Self::Mistral => mistral(fields),
            Self::OpenAiReasoning => reasoning(fields),
            Self::Anthropic => anthropic(fields).map(|message| {
                let error = json!({"type": "error", "error": {"type": "invalid_request_error", "message": message}});
                Reply::raw(400, "application/json", error.to_string())
            }),
        }
    }
}

fn mistral(fields: &Map<String, Value>) -> Option<Reply> {
    let invalid = |detail: Value| {
        Some(Reply::raw(422, "application/json", json!({ "detail": [detail] }).to_string()))
    };
    if let Some(extra) = fields.keys().find(|name| !MISTRAL.contains(&name.as_str())) {
        return invalid(
            json!({"type": "extra_forbidden", "loc": ["body", extra], "msg": "Extra inputs are not permitted"}),
        );
    }
    if fields.get("parallel_tool_calls").is_some_and(Value::is_null) {
        return invalid(
            json!({"type": "bool_type", "loc": ["body", "parallel_tool_calls"], "msg": "Input should be a valid boolean"}),
        );
    }
    let known = |role: &str| ["system", "user", "assistant", "tool"].contains(&role);
    let at = messages(fields).position(|message| !known(text(message, "role")))?;
    invalid(
        json!({"type": "union_tag_invalid", "loc": ["body", "messages", at], "msg": "Input tag does not match any of the expected tags"}),
    )
}

fn reasoning(fields: &Map<String, Value>) -> Option<Reply> {
    let error = |field: &str, code: &str, message: String| {
        let error = json!({"error": {"message": message, "type": "invalid_request_error", "param": field, "code": code}});
        Some(Reply::raw(400, "application/json", error.to_string()))
    };
    if fields.contains_key("max_tokens") {
        let message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
        return error("max_tokens", "unsupported_parameter", message.into());
    }
    if let Some(field) = NOT_REASONING.into_iter().find(|field| fields.contains_key(*field)) {
        let message = format!("Unsupported parameter: '{field}' is not supported with this model.");
        return error(field, "unsupported_parameter", message);
    }
    let other = |field: &&str| fields.get(*field).is_some_and(|value| value.as_f64() != Some(1.0));
    let field = ["temperature", "top_p"].into_iter().find(other)?;
    let message = format!(
        "Unsupported value: '{field}' does not support this value with this model. Only the default (1) value is supported."
    );
    error(field, "unsupported_value", message)
}

/// What Anthropic would write of a request that it does not take.
fn anthropic(fields: &Map<String, Value>) -> Option<String> {
    if let Some(extra) = fields.keys().find(|name| !ANTHROPIC.contains(&name.as_str())) {
        return Some(format!("{extra}: Extra inputs are not permitted"));
    }
    if !fields.contains_key("max_tokens") {
        return Some("max_tokens: Field required".into());
    }
    let mut called: Vec<String> = Vec::new();
    for (at, message) in messages(fields).enumerate() {
        let blocks = message.get("content").and_then(Value::as_array);
        let blocks = || blocks.into_iter().flatten();
        let empty =
            |block: &&Value| text(block, "type") == "text" && text(block, "text").is_empty();
        if message.get("content").and_then(Value::as_str) == Some("")
            || blocks().any(|it| empty(&it))
        {
            return Some(format!("messages.{at}: text content blocks must be non-empty"));
        }
        let results = blocks().filter(|block| text(block, "type") == "tool_result");
        let results: Vec<_> = results.map(|block| text(block, "tool_use_id").to_owned()).collect();
        if results.iter().any(|id| !called.contains(id)) {
            return Some(format!(
                "messages.{at}: unexpected `tool_use_id` found in `tool_result` blocks"
            ));
        }
        if called.iter().any(|id| !results.contains(id)) {
            return Some(format!(
                "messages.{at}: `tool_use` ids were found without `tool_result` blocks immediately after"
            ));
        }
        let calls = blocks().filter(|block| text(block, "type") == "tool_use");
        called = calls.map(|block| text(block, "id").to_owned()).collect();
    }
    None
}

fn messages(fields: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    fields.get("messages").and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejects(strict: Strict, body: Value) -> bool {
        strict.reject(body.to_string().as_bytes()).is_some()
    }

    #[test]
    fn mistral_takes_its_own_fields_and_roles() {
        let with = |field: &str, value: Value| json!({"model": "m", "messages": [{"role": "user"}], field: value});
        assert!(!rejects(Strict::Mistral, with("max_tokens", json!(5))));
        for (field, value) in [
            ("max_completion_tokens", json!(5)),
            ("store", json!(false)),
            ("stream_options", json!({})),
            ("parallel_tool_calls", Value::Null),
            ("messages", json!([{"role": "developer"}])),
        ] {
            assert!(rejects(Strict::Mistral, with(field, value)), "{field}");
        }
    }

    #[test]
    fn reasoning_models_take_no_sampling_and_the_new_name_of_the_limit() {
        assert!(!rejects(
            Strict::OpenAiReasoning,
            json!({"max_completion_tokens": 5, "temperature": 1})
        ));
        for body in
            [json!({"max_tokens": 5}), json!({"temperature": 0.2}), json!({"logprobs": true})]
        {
            assert!(rejects(Strict::OpenAiReasoning, body.clone()), "{body}");
        }
    }

    #[test]
    fn anthropic_takes_results_next_to_their_calls_and_no_empty_text() {
        let call = json!({"role": "assistant", "content": [{"type": "tool_use", "id": "t"}]});
        let result =
            json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]});
        let other = json!({"role": "user", "content": "hi"});
        let body = |messages: Value| json!({"max_tokens": 5, "messages": messages});
        assert!(!rejects(Strict::Anthropic, body(json!([call, result]))));
        assert!(rejects(Strict::Anthropic, body(json!([call, other, result]))));
        assert!(rejects(Strict::Anthropic, body(json!([result]))));
        assert!(rejects(
            Strict::Anthropic,
            body(json!([{"role": "user", "content": [{"type": "text", "text": ""}]}]))
        ));
        assert!(rejects(Strict::Anthropic, json!({"messages": [other]})));
        assert!(rejects(
            Strict::Anthropic,
            json!({"max_tokens": 5, "messages": [other], "store": true})
        ));
    }
}

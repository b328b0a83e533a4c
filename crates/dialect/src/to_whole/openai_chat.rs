//! OpenAI chat: the deltas of each choice are joined to its message.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    fold::{Fields, Fold},
    merge::{is_blank, join, join_fields, set_first, set_last},
};

/// A completion, from its chunks.
#[derive(Default)]
pub(super) struct Completion {
    head: Fields,
    usage: Value,
    choices: BTreeMap<u64, Choice>,
}

#[derive(Default)]
struct Choice {
    message: Fields,
    logprobs: Value,
    rest: Fields,
}

// === impl Completion ===

impl Fold for Completion {
    fn add(&mut self, _: &str, mut chunk: Fields) -> bool {
        if let Some(usage) = chunk.remove("usage").filter(|usage| !is_blank(usage)) {
            self.usage = usage;
        }
        if let Some(Value::Array(choices)) = chunk.remove("choices") {
            for choice in choices {
                let Value::Object(choice) = choice else { continue };
                let index = choice.get("index").and_then(Value::as_u64).unwrap_or_default();
                self.choices.entry(index).or_default().add(choice);
            }
        }
        chunk.remove("obfuscation");
        set_first(&mut self.head, chunk);
        true
    }

    fn end(self) -> Option<Value> {
        let Self { mut head, usage, choices } = self;
        if choices.is_empty() {
            return None;
        }
        let choices = choices.into_iter().map(|(index, choice)| choice.end(index));
        head.insert("choices".into(), choices.collect());
        head.insert("object".into(), "chat.completion".into());
        if !usage.is_null() {
            head.insert("usage".into(), usage);
        }
        Some(head.into())
    }
}

// === impl Choice ===

impl Choice {
    fn add(&mut self, mut choice: Fields) {
        let (delta, message) = (choice.remove("delta"), choice.remove("message"));
        let in_pieces = matches!(delta, Some(Value::Object(_)));
        if let Some(Value::Object(delta)) = delta {
            join_fields(&mut self.message, delta);
        }
        // Some servers repeat the whole message with its last piece.
        let is_new = !in_pieces || ["content", "tool_calls"].iter().all(|it| self.lacks(it));
        if let Some(Value::Object(message)) = message.filter(|_| is_new) {
            join_fields(&mut self.message, message);
        }
        join(&mut self.logprobs, choice.remove("logprobs").unwrap_or_default());
        set_last(&mut self.rest, choice);
    }

    fn lacks(&self, name: &str) -> bool {
        self.message.get(name).is_none_or(is_blank)
    }

    fn end(self, index: u64) -> Value {
        let calls = !self.lacks("tool_calls");
        let Self { mut message, logprobs, mut rest } = self;
        if let Some(Value::Array(calls)) = message.get_mut("tool_calls") {
            // Only the pieces of a call have an index.
            calls.iter_mut().filter_map(Value::as_object_mut).for_each(|call| {
                call.remove("index");
            });
        }
        let content = message.entry("content").or_insert(Value::Null);
        if content.is_null() && !calls {
            *content = "".into();
        }
        set_first(&mut message, Fields::from_iter([("role".into(), "assistant".into())]));
        rest.insert("index".into(), index.into());
        rest.insert("message".into(), message.into());
        rest.insert("logprobs".into(), logprobs);
        if rest.get("finish_reason").is_none_or(is_blank) {
            let reason = if calls { "tool_calls" } else { "stop" };
            rest.insert("finish_reason".into(), reason.into());
        }
        rest.into()
    }
}

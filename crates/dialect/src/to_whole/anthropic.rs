//! Anthropic: the deltas of each block are joined, and the blocks put into the message of the first event.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    fold::{Fields, Fold},
    merge::{append, extend, is_blank, set_last},
};

/// A message, from its events.
#[derive(Default)]
pub(super) struct Message {
    head: Fields,
    usage: Fields,
    blocks: BTreeMap<u64, Block>,
    /// Whether any event of a message has arrived.
    begun: bool,
}

#[derive(Default)]
struct Block {
    fields: Fields,
    /// The JSON of a tool's input so far.
    input: String,
}

// === impl Message ===

impl Fold for Message {
    fn add(&mut self, name: &str, mut event: Fields) -> bool {
        let kind = event.get("type").and_then(Value::as_str).unwrap_or(name).to_owned();
        let index = event.get("index").and_then(Value::as_u64).unwrap_or_default();
        self.begun |= kind.starts_with("message_") || kind.starts_with("content_block_");
        let mut object = |name: &str| match event.remove(name) {
            Some(Value::Object(fields)) => fields,
            _ => Fields::new(),
        };
        match kind.as_str() {
            "message_start" => self.start(object("message")),
            "content_block_start" => {
                let block = self.blocks.entry(index).or_default();
                set_last(&mut block.fields, object("content_block"));
            }
            "content_block_delta" => {
                self.blocks.entry(index).or_default().add(object("delta"));
            }
            "message_delta" => {
                set_last(&mut self.head, object("delta"));
                set_last(&mut self.usage, object("usage"));
                ["type", "delta", "usage"].iter().for_each(|name| drop(event.remove(*name)));
                set_last(&mut self.head, event);
            }
            _ => {}
        }
        kind != "message_stop"
    }

    fn end(self) -> Option<Value> {
        let Self { mut head, mut usage, blocks, begun } = self;
        if !begun {
            return None;
        }
        let blocks = blocks.into_values().map(Block::end).collect::<Option<Vec<_>>>()?;
        let calls = blocks.iter().any(|block| block["type"] == "tool_use");
        for name in ["input_tokens", "output_tokens"] {
            usage.entry(name).or_insert(0.into());
        }
        let reason = if calls { "tool_use" } else { "end_turn" };
        for (name, usual) in [("type", "message"), ("role", "assistant"), ("stop_reason", reason)] {
            if head.get(name).is_none_or(is_blank) {
                head.insert(name.into(), usual.into());
            }
        }
        head.entry("stop_sequence").or_insert(Value::Null);
        head.insert("content".into(), blocks.into());
        head.insert("usage".into(), usage.into());
        Some(head.into())
    }
}

impl Message {
    /// The first event. A message that has content at its start has whole blocks.
    fn start(&mut self, mut message: Fields) {
        if let Some(Value::Object(usage)) = message.remove("usage") {
            self.usage = usage;
        }
        if let Some(Value::Array(blocks)) = message.remove("content") {
            for (index, block) in (0..).zip(blocks) {
                if let Value::Object(fields) = block {
                    self.blocks.insert(index, Block { fields, input: String::new() });
                }
            }
        }
        self.head = message;
    }
}

// === impl Block ===

impl Block {
    fn add(&mut self, mut delta: Fields) {
        delta.remove("type");
        if self.fields.is_empty() {
            let thinks = delta.contains_key("thinking") || delta.contains_key("signature");
            let kind = if thinks { "thinking" } else { "text" };
            self.fields.insert("type".into(), kind.into());
        }
        for (name, value) in delta {
            match (name.as_str(), value) {
                ("partial_json", Value::String(piece)) => self.input.push_str(&piece),
                ("citation", citation) => extend(&mut self.fields, "citations", vec![citation]),
                (name, Value::String(piece)) => append(&mut self.fields, name, &piece),
                (name, Value::Array(items)) => extend(&mut self.fields, name, items),
                (_, Value::Null) => {}
                (name, value) => drop(self.fields.insert(name.into(), value)),
            }
        }
    }

    /// The whole block; `None` if the input of its tool is not JSON.
    fn end(self) -> Option<Value> {
        let Self { mut fields, input } = self;
        if !input.trim().is_empty() {
            fields.insert("input".into(), serde_json::from_str(&input).ok()?);
        }
        if fields.get("type").is_some_and(|kind| kind == "tool_use") {
            fields.entry("input").or_insert_with(|| json!({}));
        }
        Some(fields.into())
    }
}

//! OpenAI responses: the last event has the whole response. Some gateways leave its output empty: then the items of the events
//! before it are its output.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    fold::{Fields, Fold},
    merge::{append, is_blank},
};

/// A response, from its events.
#[derive(Default)]
pub(super) struct Output {
    response: Option<Fields>,
    /// The items that were sent one by one.
    items: BTreeMap<u64, Item>,
}

#[derive(Default)]
struct Item {
    fields: Fields,
    /// The text of its message, from deltas.
    text: String,
    /// The arguments of its call, from deltas.
    arguments: String,
}

// === impl Output ===

impl Fold for Output {
    fn add(&mut self, name: &str, mut event: Fields) -> bool {
        let kind = event.get("type").and_then(Value::as_str).unwrap_or(name).to_owned();
        let index = event.get("output_index").and_then(Value::as_u64).unwrap_or_default();
        let delta = event.get("delta").and_then(Value::as_str).unwrap_or_default();
        match kind.as_str() {
            "response.completed" | "response.incomplete" => {
                if let Some(Value::Object(response)) = event.remove("response") {
                    self.response = Some(response);
                }
                return false;
            }
            "response.output_item.added" | "response.output_item.done" => {
                if let Some(Value::Object(item)) = event.remove("item") {
                    self.items.entry(index).or_default().fields = item;
                }
            }
            "response.output_text.delta" => {
                self.items.entry(index).or_default().text.push_str(delta);
            }
            "response.function_call_arguments.delta" => {
                self.items.entry(index).or_default().arguments.push_str(delta);
            }
            _ => {}
        }
        true
    }

    fn end(self) -> Option<Value> {
        let mut response = self.response?;
        if response.get("output").is_none_or(is_blank) {
            let items = self.items.into_values().map(Item::end);
            response.insert("output".into(), items.collect());
        }
        response.entry("object").or_insert_with(|| "response".into());
        Some(response.into())
    }
}

// === impl Item ===

impl Item {
    fn end(self) -> Value {
        let Self { mut fields, text, arguments } = self;
        if fields.is_empty() {
            let message = [("type", "message"), ("role", "assistant"), ("status", "completed")];
            fields.extend(message.map(|(name, value)| (name.into(), value.into())));
        }
        let is_message = fields.get("type").is_some_and(|kind| kind == "message");
        if is_message && !text.is_empty() && fields.get("content").is_none_or(is_blank) {
            let content = json!([{"type": "output_text", "text": text, "annotations": []}]);
            fields.insert("content".into(), content);
        }
        if !arguments.is_empty() && fields.get("arguments").is_none_or(is_blank) {
            append(&mut fields, "arguments", &arguments);
        }
        fields.into()
    }
}

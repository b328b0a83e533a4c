//! Joins the stream of one answer to that of another: the caller sees one.

#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use crate::{Dialect, words::is_filled};

/// What the events that were handed on have in common, and how those of another answer are made to follow them.
#[derive(Debug)]
pub(crate) struct StreamSplicer {
    dialect: Dialect,
    /// The id of the answer that the caller has begun to read.
    id: Option<Value>,
    /// Whether anything was handed on: the head of another answer is one too many then.
    begun: bool,
    /// The block that is open, and how many have been begun: Anthropic's answers alone have them.
    open: Option<u64>,
    blocks: u64,
    /// The place of the other answer's first block.
    base: u64,
    /// White space that the caller has, and the request for the rest has not: the other answer may begin with it.
    blank: String,
}

/// What becomes of an event of the other answer.
#[derive(Debug, PartialEq)]
pub(crate) enum SpliceAction {
    /// The caller has it already, or it says nothing.
    Drop,
    Keep,
    /// Another event has to come before it.
    After(Value),
}

// === impl StreamSplicer ===

impl StreamSplicer {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            id: None,
            begun: false,
            open: None,
            blocks: 0,
            base: 0,
            blank: String::new(),
        }
    }

    /// Another answer follows. `blank` is the white space at the end of what was said.
    pub(crate) fn join(&mut self, blank: &str) {
        self.blank = blank.into();
        self.base = self.open.unwrap_or(self.blocks);
    }

    /// Takes note of an event that is handed on.
    pub(crate) fn note(&mut self, event: &Value) {
        self.begun = true;
        match self.dialect {
            Dialect::Anthropic => match event["type"].as_str() {
                Some("content_block_start") => {
                    let index = event["index"].as_u64().unwrap_or(self.blocks);
                    self.open = Some(index);
                    self.blocks = index.saturating_add(1);
                }
                Some("content_block_stop") => self.open = None,
                _ => {}
            },
            _ if self.id.is_none() => {
                self.id = event.get(self.id_field()).filter(|id| is_filled(id)).cloned();
            }
            _ => {}
        }
    }

    /// Makes an event of the other answer follow what was handed on.
    pub(crate) fn fit(&mut self, event: &mut Value) -> SpliceAction {
        if !self.begun {
            return SpliceAction::Keep;
        }
        let field = self.id_field();
        if let (Some(id), Some(place)) = (&self.id, event.get_mut(field)) {
            *place = id.clone();
        }
        self.skip_blank(event);
        match self.dialect {
            Dialect::OpenAiChat => chat(event),
            Dialect::Anthropic => self.message(event),
            Dialect::Gemini | Dialect::Ollama | Dialect::OpenAiResponses => SpliceAction::Keep,
        }
    }

    fn id_field(&self) -> &'static str {
        if self.dialect == Dialect::Gemini { "responseId" } else { "id" }
    }

    /// Takes away the white space that the caller has.
    fn skip_blank(&mut self, event: &mut Value) {
        if self.blank.is_empty() {
            return;
        }
        let Some(Value::String(text)) = self.dialect.said_mut(event) else { return };
        let same = text.chars().zip(self.blank.chars()).take_while(|(a, b)| a == b);
        let len: usize = same.map(|(a, _)| a.len_utf8()).sum();
        let all = len == text.len();
        text.drain(..len);
        match all {
            // The rest of it may come with the next words.
            true => drop(self.blank.drain(..len)),
            false => self.blank.clear(),
        }
    }

    fn message(&mut self, event: &mut Value) -> SpliceAction {
        match event["type"].as_str() {
            Some("message_start") => SpliceAction::Drop,
            Some("content_block_start") => self.block(event),
            Some("content_block_delta") => {
                self.shift(event);
                let empty = event["delta"]["type"] == "text_delta" && event["delta"]["text"] == "";
                if empty { SpliceAction::Drop } else { SpliceAction::Keep }
            }
            Some("content_block_stop") => {
                self.shift(event);
                SpliceAction::Keep
            }
            // It ends without having said anything.
            Some("message_delta" | "message_stop") => self.close(),
            _ => SpliceAction::Keep,
        }
    }

    /// The beginning of a block: text goes on in the block of text that is open, all else in one of its own.
    fn block(&mut self, event: &mut Value) -> SpliceAction {
        let first = event["index"].as_u64().unwrap_or(0) == 0;
        let text = event["content_block"]["type"] == "text";
        if first && text && self.open.is_some() {
            return SpliceAction::Drop;
        }
        if first {
            self.base = self.blocks;
        }
        self.shift(event);
        self.close()
    }

    /// Ends the block that is open.
    fn close(&self) -> SpliceAction {
        match self.open {
            Some(index) => {
                SpliceAction::After(json!({"type": "content_block_stop", "index": index}))
            }
            None => SpliceAction::Keep,
        }
    }

    fn shift(&self, event: &mut Value) {
        let index = event["index"].as_u64().unwrap_or(0);
        if let Some(place) = event.get_mut("index") {
            *place = self.base.saturating_add(index).into();
        }
    }
}

/// A chunk without its role, which the caller has; none where nothing else is in it.
fn chat(event: &mut Value) -> SpliceAction {
    let used = is_filled(&event["usage"]);
    let Some(choice) = event.pointer_mut("/choices/0") else { return SpliceAction::Keep };
    if let Some(Value::Object(delta)) = choice.get_mut("delta") {
        delta.remove("role");
    }
    let said = choice["delta"].as_object().is_some_and(|delta| delta.values().any(is_filled));
    let says = said || is_filled(&choice["finish_reason"]) || used;
    if says { SpliceAction::Keep } else { SpliceAction::Drop }
}

//! Joins the streams of two answers into one.

#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use crate::{
    Dialect,
    events::{AnswerEvent, Structure},
    json::read,
};

/// The common fields of the events passed on, and the rewriting of another answer's events to follow them.
#[derive(Debug)]
pub(crate) struct StreamSplicer {
    dialect: Dialect,
    /// The id of the answer that the caller has started to read.
    id: Option<String>,
    /// Whether any event was passed on: the head of another answer is then dropped.
    begun: bool,
    /// The open block, and the number of blocks started: only Anthropic's answers have them.
    open: Option<u64>,
    blocks: u64,
    /// The index of the other answer's first block.
    base: u64,
    /// White space that the caller has, and the second request does not: the other answer may start with it.
    blank: String,
}

/// What to do with an event of the other answer.
#[derive(Debug, PartialEq)]
pub(crate) enum SpliceAction {
    /// Drop it: the caller has it already, or it is empty.
    Drop,
    Keep,
    /// Send another event before it.
    After(Value),
}

/// An event of the other answer, rewritten to follow.
#[derive(Debug)]
pub(crate) struct Spliced {
    pub(crate) action: SpliceAction,
    /// The number of bytes removed from the start of its text.
    pub(crate) skipped: usize,
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

    /// Starts the other answer. `blank` is the white space at the end of the first answer's text.
    pub(crate) fn join(&mut self, blank: &str) {
        self.blank = blank.into();
        self.base = self.open.unwrap_or(self.blocks);
    }

    /// Records an event that is passed on unchanged.
    pub(crate) fn note(&mut self, event: &AnswerEvent<'_>) {
        self.note_at(event, 0);
    }

    /// Rewrites an event of the other answer, as JSON, to follow the events passed on.
    pub(crate) fn follow(&mut self, event: &AnswerEvent<'_>, json: &mut Value) -> Spliced {
        if !self.begun {
            self.note(event);
            return Spliced { action: SpliceAction::Keep, skipped: 0 };
        }
        let field = if self.dialect == Dialect::Gemini { "responseId" } else { "id" };
        if let (Some(id), Some(place)) = (&self.id, json.get_mut(field)) {
            *place = id.as_str().into();
        }
        let skipped = self.skip_blank(json);
        let action = match self.dialect {
            Dialect::OpenAiChat => chat(json),
            Dialect::Anthropic => self.message(event, json),
            Dialect::Gemini | Dialect::Ollama | Dialect::OpenAiResponses => SpliceAction::Keep,
        };
        match action {
            SpliceAction::Drop => {}
            SpliceAction::Keep => self.note_at(event, self.base),
            SpliceAction::After(_) => {
                self.open = None;
                self.note_at(event, self.base);
            }
        }
        Spliced { action, skipped }
    }

    /// Records an event whose block indices are raised by `base`.
    fn note_at(&mut self, event: &AnswerEvent<'_>, base: u64) {
        self.begun = true;
        match event.structure {
            Structure::BlockStart { index, .. } => {
                let index = read::<u64>(index).map(|index| base.saturating_add(index));
                let index = index.unwrap_or(self.blocks);
                self.open = Some(index);
                self.blocks = index.saturating_add(1);
            }
            Structure::BlockEnd => self.open = None,
            _ => {}
        }
        // Anthropic's id is only in the head of a message, which is sent once.
        if self.id.is_none() && self.dialect != Dialect::Anthropic {
            let id = event.id.and_then(|id| id.decode());
            self.id = id.map(|id| id.into_owned());
        }
    }

    /// Removes the white space that the caller has. Returns its length.
    fn skip_blank(&mut self, json: &mut Value) -> usize {
        if self.blank.is_empty() {
            return 0;
        }
        let Some(Value::String(text)) = text_mut(self.dialect, json) else { return 0 };
        let same = text.chars().zip(self.blank.chars()).take_while(|(a, b)| a == b);
        let len: usize = same.map(|(a, _)| a.len_utf8()).sum();
        let all = len == text.len();
        text.drain(..len);
        match all {
            // The rest of it may come with the next words.
            true => drop(self.blank.drain(..len)),
            false => self.blank.clear(),
        }
        len
    }

    fn message(&mut self, event: &AnswerEvent<'_>, json: &mut Value) -> SpliceAction {
        match event.structure {
            Structure::MessageStart => SpliceAction::Drop,
            Structure::BlockStart { index, text } => {
                self.block(read(index).unwrap_or(0), text, json)
            }
            Structure::BlockDelta => {
                self.shift(json);
                let empty = json["delta"]["type"] == "text_delta" && json["delta"]["text"] == "";
                if empty { SpliceAction::Drop } else { SpliceAction::Keep }
            }
            Structure::BlockEnd => {
                self.shift(json);
                SpliceAction::Keep
            }
            // The other answer ends without content.
            Structure::MessageEnd => self.close(),
            Structure::None => SpliceAction::Keep,
        }
    }

    /// The start of a block: text continues the open text block, all other content gets its own block.
    fn block(&mut self, index: u64, text: bool, json: &mut Value) -> SpliceAction {
        if index == 0 && text && self.open.is_some() {
            return SpliceAction::Drop;
        }
        if index == 0 {
            self.base = self.blocks;
        }
        self.shift(json);
        self.close()
    }

    /// Ends the open block.
    fn close(&self) -> SpliceAction {
        match self.open {
            Some(index) => {
                SpliceAction::After(json!({"type": "content_block_stop", "index": index}))
            }
            None => SpliceAction::Keep,
        }
    }

    fn shift(&self, json: &mut Value) {
        let index = json["index"].as_u64().unwrap_or(0);
        if let Some(place) = json.get_mut("index") {
            *place = self.base.saturating_add(index).into();
        }
    }
}

/// The text of an event, mutable.
fn text_mut(dialect: Dialect, json: &mut Value) -> Option<&mut Value> {
    match dialect {
        Dialect::OpenAiChat => json.pointer_mut("/choices/0/delta/content"),
        Dialect::Anthropic => json.pointer_mut("/delta/text"),
        Dialect::Gemini => json.pointer_mut("/candidates/0/content/parts/0/text"),
        Dialect::Ollama => json.pointer_mut("/message/content"),
        Dialect::OpenAiResponses => None,
    }
    .filter(|text| text.is_string())
}

/// Removes the role from a chunk, which the caller has. Drops a chunk with nothing else.
fn chat(json: &mut Value) -> SpliceAction {
    let used = is_filled(&json["usage"]);
    let Some(choice) = json.pointer_mut("/choices/0") else { return SpliceAction::Keep };
    if let Some(Value::Object(delta)) = choice.get_mut("delta") {
        delta.remove("role");
    }
    let content = choice["delta"].as_object().is_some_and(|delta| delta.values().any(is_filled));
    let filled = content || is_filled(&choice["finish_reason"]) || used;
    if filled { SpliceAction::Keep } else { SpliceAction::Drop }
}

/// Whether a value is not empty.
fn is_filled(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(object) => !object.is_empty(),
        _ => true,
    }
}

//! Joins the stream of one answer to that of another: the caller sees one.

#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use crate::{
    Dialect,
    events::{AnswerEvent, Structure},
    json::read,
};

/// What the events that were handed on have in common, and how those of another answer are made to follow them.
#[derive(Debug)]
pub(crate) struct StreamSplicer {
    dialect: Dialect,
    /// The id of the answer that the caller has begun to read.
    id: Option<String>,
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
    /// The caller has it already, or nothing is in it.
    Drop,
    Keep,
    /// Another event has to come before it.
    After(Value),
}

/// An event of the other answer, made to follow.
#[derive(Debug)]
pub(crate) struct Spliced {
    pub(crate) action: SpliceAction,
    /// How many bytes at the beginning of its text were taken away.
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

    /// Another answer follows. `blank` is the white space at the end of its text.
    pub(crate) fn join(&mut self, blank: &str) {
        self.blank = blank.into();
        self.base = self.open.unwrap_or(self.blocks);
    }

    /// Takes note of an event that is handed on as it is.
    pub(crate) fn note(&mut self, event: &AnswerEvent<'_>) {
        self.note_at(event, 0);
    }

    /// Makes an event of the other answer, as JSON, follow what was handed on.
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

    /// Takes note of an event whose block indices are to be raised by `base`.
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
        // The id of a message stands in its head alone, which comes once.
        if self.id.is_none() && self.dialect != Dialect::Anthropic {
            let id = event.id.and_then(|id| id.decode());
            self.id = id.map(|id| id.into_owned());
        }
    }

    /// Takes away the white space that the caller has; returns how much of it.
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
            // It ends without any content.
            Structure::MessageEnd => self.close(),
            Structure::None => SpliceAction::Keep,
        }
    }

    /// The beginning of a block: text goes on in the block of text that is open, all else in one of its own.
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

    /// Ends the block that is open.
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

/// The place of the text in an event, to be changed.
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

/// A chunk without its role, which the caller has; none where nothing else is in it.
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

/// Whether a value holds something.
fn is_filled(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(object) => !object.is_empty(),
        _ => true,
    }
}

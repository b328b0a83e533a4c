//! Ollama: the texts of all lines are joined. All other fields are those of the last line that has them.

use serde_json::Value;

use super::{
    fold::{Fields, Fold},
    merge::{append, extend, is_blank, set_last},
};

/// An answer, from its lines.
#[derive(Default)]
pub(super) struct Lines {
    head: Fields,
    message: Fields,
    /// The texts of an answer to `/api/generate`.
    texts: Fields,
}

// === impl Lines ===

impl Fold for Lines {
    fn add(&mut self, _: &str, mut line: Fields) -> bool {
        if let Some(Value::Object(message)) = line.remove("message") {
            grow(&mut self.message, message);
        }
        let mut texts = Fields::new();
        for name in ["response", "thinking"] {
            texts.extend(line.remove(name).map(|text| (name.into(), text)));
        }
        grow(&mut self.texts, texts);
        let done = line.get("done") == Some(&Value::Bool(true));
        set_last(&mut self.head, line);
        !done
    }

    fn end(self) -> Option<Value> {
        let Self { mut head, message, texts } = self;
        if message.is_empty() && texts.is_empty() {
            return None;
        }
        if !message.is_empty() {
            head.insert("message".into(), message.into());
        }
        head.extend(texts);
        Some(head.into())
    }
}

/// Adds the pieces of a message: texts are appended, calls and images listed.
fn grow(message: &mut Fields, pieces: Fields) {
    for (name, piece) in pieces {
        match (name.as_str(), piece) {
            ("role", role) => drop(message.insert(name, role)),
            (_, Value::String(text)) => append(message, &name, &text),
            (_, Value::Array(items)) => extend(message, &name, items),
            (_, other) if is_blank(&other) => {}
            (_, other) => drop(message.insert(name, other)),
        }
    }
}

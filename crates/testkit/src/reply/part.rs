//! What an answer is made of, and the pieces of its body.

use bytes::Bytes;

use crate::reply::Facts;

/// One piece of a body, and what it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    pub(super) kind: Kind,
    pub(super) bytes: Bytes,
}

/// What a piece of a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// What comes before the first content.
    Role,
    /// Content: so many words.
    Words(usize),
    Finish,
    Usage,
    Done,
    /// A whole body that is not streamed; its text begins at this byte.
    Json {
        text_at: usize,
    },
    Other,
}

/// What an answer is made of.
pub(super) struct Answer<'a> {
    pub(super) text: &'a str,
    pub(super) model: &'a str,
    pub(super) facts: &'a Facts,
    pub(super) finish: bool,
}

// === impl Part ===

impl Part {
    pub(super) fn new(kind: Kind, text: impl Into<Bytes>) -> Self {
        Self { kind, bytes: text.into() }
    }

    /// An event with a name, which is its type too; `fields` are JSON.
    pub(super) fn event(kind: Kind, name: &str, fields: &str) -> Self {
        let comma = if fields.is_empty() { "" } else { "," };
        Self::new(kind, format!("event: {name}\ndata: {{\"type\":\"{name}\"{comma}{fields}}}\n\n"))
    }
}

/// A text as a JSON string.
pub(super) fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

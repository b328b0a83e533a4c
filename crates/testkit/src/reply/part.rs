//! The values from which an answer is rendered, and the parts of its body.

use bytes::Bytes;

use crate::reply::RequestFacts;

/// One part of a body, with its kind.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BodyPart {
    pub(super) kind: PartKind,
    pub(super) bytes: Bytes,
}

/// The kind of a part of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartKind {
    /// An event before the first content.
    Role,
    /// Content, with its number of words.
    Words(usize),
    Finish,
    Usage,
    Done,
    /// A whole body that is not streamed. Its text begins at byte `text_at`.
    Json {
        text_at: usize,
    },
    Other,
}

/// The values from which an answer is rendered.
pub(super) struct ChatAnswer<'a> {
    pub(super) text: &'a str,
    pub(super) model: &'a str,
    pub(super) facts: &'a RequestFacts,
    /// Whether the answer has a finish reason.
    pub(super) finish: bool,
}

// === impl BodyPart ===

impl BodyPart {
    pub(super) fn new(kind: PartKind, text: impl Into<Bytes>) -> Self {
        Self { kind, bytes: text.into() }
    }

    /// An event whose name is also its `type`. `fields` are JSON.
    pub(super) fn event(kind: PartKind, name: &str, fields: &str) -> Self {
        let comma = if fields.is_empty() { "" } else { "," };
        Self::new(kind, format!("event: {name}\ndata: {{\"type\":\"{name}\"{comma}{fields}}}\n\n"))
    }
}

/// A text as a JSON string.
pub(super) fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

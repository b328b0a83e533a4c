//! A text as an answer in the wire language that was asked: the parts of a stream, or one JSON body.

use bytes::Bytes;

use crate::reply::{Api, Facts, chat, messages, responses};

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

// === impl Answer ===

impl Answer<'_> {
    /// The parts of a stream: what comes before the words, events of `size` words, which also end at each of `stops`,
    /// and what comes after them.
    pub(super) fn stream(&self, size: usize, stops: &[usize]) -> Vec<Part> {
        let groups = groups(self.text, size, stops);
        let (mut parts, word, end): (_, fn(&Self, &str) -> String, _) = match self.facts.api {
            Api::Chat => (chat::begin(self), chat::words, chat::end(self)),
            Api::Messages => (messages::begin(self), messages::words, messages::end(self)),
            Api::Responses => (responses::begin(self), responses::words, responses::end(self)),
        };
        parts.extend(groups.map(|(n, words)| Part::new(Kind::Words(n), word(self, words))));
        parts.extend(end.into_iter().filter(|part| self.finish || part.kind != Kind::Finish));
        parts
    }

    /// The one body of an answer that is not streamed.
    pub(super) fn json(&self) -> Part {
        let (head, tail) = match self.facts.api {
            Api::Chat => chat::whole(self),
            Api::Messages => messages::whole(self),
            Api::Responses => responses::whole(self),
        };
        let body = format!("{head}{}{tail}", json(self.text));
        Part::new(Kind::Json { text_at: head.len() }, body)
    }

    /// The tokens of the answer: one a word.
    pub(super) fn tokens(&self) -> usize {
        self.text.split_whitespace().count()
    }
}

/// A text as a JSON string.
pub(super) fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// How many bytes the first words of a text take, with the blanks after them, and a blank before the first.
pub(super) fn prefix(text: &str, words: usize) -> usize {
    let first = text.trim_start();
    let blank = if words > 0 { text.len() - first.len() } else { 0 };
    blank + first.split_inclusive(' ').take(words).map(str::len).sum::<usize>()
}

/// The text in groups of `size` words; a group ends at each of `stops` too.
fn groups<'a>(
    text: &'a str,
    size: usize,
    stops: &[usize],
) -> impl Iterator<Item = (usize, &'a str)> {
    let words = text.trim_start().split_inclusive(' ').count();
    let mut done = 0;
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let stop = stops.iter().copied().filter(|stop| *stop > done).min();
        let end = (done + size).min(stop.unwrap_or(usize::MAX)).min(words);
        let (group, left) = rest.split_at(prefix(rest, end - done));
        let n = end - done;
        (done, rest) = (end, left);
        Some((n, group))
    })
}

//! Renders a text as an answer of an API: the parts of a stream, or one JSON body.

use crate::reply::{
    Api, chat, messages,
    part::{BodyPart, ChatAnswer, PartKind, json},
    responses,
};

// === impl ChatAnswer ===

impl ChatAnswer<'_> {
    /// The parts of a stream: the events before the words, events of `size` words each, the events after the words. An event
    /// also ends at each of `stops`, counted in words.
    pub(super) fn stream(&self, size: usize, stops: &[usize]) -> Vec<BodyPart> {
        let groups = groups(self.text, size, stops);
        let (mut parts, word, end): (_, fn(&Self, &str) -> String, _) = match self.facts.api {
            Api::Chat => (chat::begin(self), chat::words, chat::end(self)),
            Api::Messages => (messages::begin(self), messages::words, messages::end(self)),
            Api::Responses => (responses::begin(self), responses::words, responses::end(self)),
        };
        parts.extend(groups.map(|(n, words)| BodyPart::new(PartKind::Words(n), word(self, words))));
        parts.extend(end.into_iter().filter(|part| self.finish || part.kind != PartKind::Finish));
        parts
    }

    /// The body of an answer that is not streamed.
    pub(super) fn json(&self) -> BodyPart {
        let (head, tail) = match self.facts.api {
            Api::Chat => chat::whole(self),
            Api::Messages => messages::whole(self),
            Api::Responses => responses::whole(self),
        };
        let body = format!("{head}{}{tail}", json(self.text));
        BodyPart::new(PartKind::Json { text_at: head.len() }, body)
    }

    /// The tokens of the answer: one for each word.
    pub(super) fn tokens(&self) -> usize {
        self.text.split_whitespace().count()
    }
}

/// The length in bytes of the first words of a text, with the blank after each word and a blank before the first word.
pub(super) fn prefix(text: &str, words: usize) -> usize {
    let first = text.trim_start();
    let blank = if words > 0 { text.len() - first.len() } else { 0 };
    blank + first.split_inclusive(' ').take(words).map(str::len).sum::<usize>()
}

/// The text in groups of `size` words. A group also ends at each of `stops`, counted in words.
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

//! A text as an answer of OpenAI chat completions: the parts of a stream, or one JSON body.

use bytes::Bytes;

use crate::testkit::reply::Facts;

/// One piece of a body, and what it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    pub(super) kind: Kind,
    pub(super) bytes: Bytes,
}

/// What a piece of a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
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
pub(super) struct Chat<'a> {
    pub(super) text: &'a str,
    pub(super) model: &'a str,
    pub(super) facts: &'a Facts,
    pub(super) finish: bool,
}

// === impl Chat ===

impl Chat<'_> {
    /// The parts of a stream: an event of the role, events of `size` words, which also end at each of `stops`, the
    /// finish reason, usage if asked, the sentinel.
    pub(super) fn stream(&self, size: usize, stops: &[usize]) -> Vec<Part> {
        let mut parts = vec![self.chunk(Kind::Role, r#""role":"assistant","content":"""#, "null")];
        for (n, words) in groups(self.text, size, stops) {
            let delta = format!(r#""content":{}"#, json(words));
            parts.push(self.chunk(Kind::Words(n), &delta, "null"));
        }
        if self.finish {
            parts.push(self.chunk(Kind::Finish, "", r#""stop""#));
        }
        if self.facts.usage {
            let tail = format!(r#""choices":[],"usage":{}"#, self.usage());
            parts.push(self.event(Kind::Usage, &tail));
        }
        parts.push(Part { kind: Kind::Done, bytes: Bytes::from_static(b"data: [DONE]\n\n") });
        parts
    }

    /// The one body of an answer that is not streamed.
    pub(super) fn json(&self) -> Part {
        let finish = if self.finish { r#""stop""# } else { "null" };
        let head = format!(
            r#"{{"id":"chatcmpl-0","object":"chat.completion","created":0,"model":{},"choices":[{{"index":0,"message":{{"role":"assistant","content":"#,
            json(self.model)
        );
        let body = format!(
            r#"{head}{}}},"finish_reason":{finish}}}],"usage":{}}}"#,
            json(self.text),
            self.usage()
        );
        Part { kind: Kind::Json { text_at: head.len() }, bytes: body.into() }
    }

    fn chunk(&self, kind: Kind, delta: &str, finish: &str) -> Part {
        let usage = if self.facts.usage { r#","usage":null"# } else { "" };
        let tail = format!(
            r#""choices":[{{"index":0,"delta":{{{delta}}},"finish_reason":{finish}}}]{usage}"#
        );
        self.event(kind, &tail)
    }

    fn event(&self, kind: Kind, tail: &str) -> Part {
        let model = json(self.model);
        let event = format!(
            "data: {{\"id\":\"chatcmpl-0\",\"object\":\"chat.completion.chunk\",\"created\":0,\"model\":{model},{tail}}}\n\n"
        );
        Part { kind, bytes: event.into() }
    }

    fn usage(&self) -> String {
        let completion = self.text.split_whitespace().count();
        let total = completion + 12;
        format!(r#"{{"prompt_tokens":12,"completion_tokens":{completion},"total_tokens":{total}}}"#)
    }
}

/// A text as a JSON string.
pub(super) fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// How many bytes the first words of a text take, with the blanks after them.
pub(super) fn prefix(text: &str, words: usize) -> usize {
    text.split_inclusive(' ').take(words).map(str::len).sum()
}

/// The text in groups of `size` words; a group ends at each of `stops` too.
fn groups<'a>(
    text: &'a str,
    size: usize,
    stops: &[usize],
) -> impl Iterator<Item = (usize, &'a str)> {
    let words = text.split_inclusive(' ').count();
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

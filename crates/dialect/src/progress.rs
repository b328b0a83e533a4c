//! How far an answer has come: what every dialect keeps of it.

use serde::Deserialize;

use crate::{
    Tokens,
    json::{is_ping, trim},
    outcome::{ErrorCodeTable, Outcome, Verdict, in_stream},
    unary,
};

/// What an answer is judged by.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// What the codes of an error mean.
    codes: ErrorCodeTable,
    /// Whether an answer that ended without any content may be right.
    may_be_empty: bool,
}

/// What some bytes of a stream brought.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct FrameSummary {
    /// Events of any kind; comments are none.
    pub events: u32,
    /// Events with content: text, reasoning, tool calls; not roles, pings, comments, metadata.
    pub content: u32,
    /// A tool of the provider is at work: progress of it, or a sign of life while it runs. It ends a silence, and is no
    /// content.
    pub works: bool,
    /// An error in the stream, or an event that is not of its dialect: the first.
    pub failed: Option<Verdict>,
}

/// How far an answer has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    expected: Expected,
    /// Whether the answer itself is whole, by its reason to end: the API may have more to say.
    pub(super) finished: bool,
    /// What it cost, once that was said.
    pub(super) tokens: Option<Tokens>,
    content: bool,
    filtered: bool,
    limited: bool,
    over: bool,
}

/// Why an answer ended, as far as that can make good that it has no content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finish {
    Plain,
    /// It is whole without a word: the caller's own limit or stop sequence came before the first, or the model ended its
    /// turn.
    Limited,
    /// The provider's content filter, or the model, refused.
    Filtered,
}

// === impl Expected ===

impl Expected {
    /// By that table of codes. `may_be_empty`: an answer that ended without any content may be right.
    pub fn new(codes: &ErrorCodeTable, may_be_empty: bool) -> Self {
        Self { codes: codes.clone(), may_be_empty }
    }
}

impl From<&ErrorCodeTable> for Expected {
    fn from(codes: &ErrorCodeTable) -> Self {
        Self::new(codes, false)
    }
}

// === impl FrameSummary ===

impl FrameSummary {
    /// Bytes of a stream without a dialect: content, if there are any.
    pub fn bytes(any: bool) -> Self {
        Self { events: any.into(), content: any.into(), ..Self::default() }
    }

    /// Takes note of a failure; the first stays.
    pub fn fail(&mut self, verdict: Verdict) {
        self.failed.get_or_insert(verdict);
    }
}

// === impl Progress ===

impl Progress {
    /// Nothing has come yet.
    pub(super) fn new(expected: Expected) -> Self {
        Self { expected, ..Self::default() }
    }

    /// The next event of a stream whose events have names, where it says anything: errors and what is none of the dialect are
    /// taken note of here.
    pub(super) fn next<'a, T: Deserialize<'a>>(
        &mut self,
        (name, data): (&[u8], &'a [u8]),
        seen: &mut FrameSummary,
    ) -> Option<T> {
        if self.over {
            return None;
        }
        let data = trim(data);
        if name == b"error" {
            self.error(data, seen);
            return None;
        }
        // Gateways that translate end every stream in the manner of chat completions.
        if data.is_empty() || is_ping(name) || data.starts_with(b"[DONE]") {
            return None;
        }
        let event = serde_json::from_slice(data);
        if event.is_err() {
            self.unread(data, seen);
        }
        event.ok()
    }

    /// An event has content.
    pub(super) fn content(&mut self, seen: &mut FrameSummary) {
        self.content = true;
        seen.content += 1;
    }

    /// The answer has content: of one that is not streamed, or told once more at the end of a stream.
    pub(super) fn has_content(&mut self, content: bool) {
        self.content |= content;
    }

    /// Takes note of why the answer, or a part of it, ended.
    pub(super) fn reason(&mut self, finish: Finish) {
        self.filtered |= finish == Finish::Filtered;
        self.limited |= finish == Finish::Limited || self.expected.may_be_empty;
    }

    /// The answer is whole.
    pub(super) fn finish(&mut self, finish: Finish) {
        self.finished = true;
        self.reason(finish);
    }

    /// The last word of the API.
    pub(super) fn end(&mut self, seen: &mut FrameSummary) {
        self.over = true;
        if self.outcome() == Outcome::Empty {
            seen.fail(Outcome::Empty.into());
        }
    }

    /// An error in the stream, as its JSON tells it.
    pub(super) fn error(&mut self, json: &[u8], seen: &mut FrameSummary) {
        let verdict = in_stream(&self.expected.codes, json);
        self.fail(verdict, seen);
    }

    /// The data of an event that is none of its dialect.
    pub(super) fn unread(&mut self, data: &[u8], seen: &mut FrameSummary) {
        let verdict = unary::unread(&self.expected.codes, data);
        self.fail(verdict, seen);
    }

    /// What the codes of an error mean.
    pub(super) fn codes(&self) -> &ErrorCodeTable {
        &self.expected.codes
    }

    /// An error, unless the answer was whole already: then it changes nothing.
    pub(super) fn fail(&mut self, verdict: Verdict, seen: &mut FrameSummary) {
        if !self.outcome().is_success() {
            seen.fail(verdict);
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    pub(super) fn outcome(&self) -> Outcome {
        match (self.over || self.finished, self.content || self.limited) {
            (false, _) => Outcome::Truncated,
            (true, true) => Outcome::Success,
            (true, false) if self.filtered => Outcome::Blocked,
            (true, false) => Outcome::Empty,
        }
    }

    /// What an answer that was not streamed came to.
    pub(super) fn answer(mut self) -> Result<Outcome, Verdict> {
        self.finished = true;
        match self.outcome() {
            outcome @ (Outcome::Success | Outcome::Blocked) => Ok(outcome),
            other => Err(other.into()),
        }
    }
}

//! Watches the bytes of a stream: decodes its events and reads them in their dialect.

use crate::{
    classify::{Outcome, Verdict},
    dialect::{Dialect, Follower, Tokens},
    stream::sse::Decoder,
};

/// What a piece of a stream said.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Events of any kind; comments are none.
    pub(crate) events: u32,
    /// Events with content: text, reasoning, tool calls; not roles, pings, comments, metadata.
    pub(crate) content: u32,
    /// An error in the stream, or an event that is not of its dialect: the first.
    pub(crate) failed: Option<Verdict>,
}

/// Watches one stream of server-sent events.
#[derive(Debug)]
pub(crate) struct Watch {
    decoder: Decoder,
    follower: Follower,
    /// What it failed with: nothing is read any more.
    failed: Option<Outcome>,
    /// The first byte that is not white space.
    first: Option<u8>,
}

// === impl Seen ===

impl Seen {
    /// Bytes of a stream without a dialect: content, if there are any.
    pub(crate) fn bytes(any: bool) -> Self {
        Self { events: any.into(), content: any.into(), failed: None }
    }

    /// Takes note of a failure; the first stays.
    pub(crate) fn fail(&mut self, verdict: Verdict) {
        self.failed.get_or_insert(verdict);
    }
}

// === impl Watch ===

impl Watch {
    pub(crate) fn new(dialect: Dialect) -> Self {
        let (decoder, follower) = (Decoder::new(), dialect.follower());
        Self { decoder, follower, failed: None, first: None }
    }

    /// Reads the next bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Seen {
        let mut seen = Seen::default();
        if self.first.is_none() {
            self.first = bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace());
        }
        if self.failed.is_some() || self.is_over() || self.foreign().is_some() {
            return seen;
        }
        let follower = &mut self.follower;
        let fed = self.decoder.feed(bytes, |event| {
            seen.events += 1;
            if seen.failed.is_none() {
                follower.event(event.name, event.data, &mut seen);
            }
        });
        if fed.is_err() && !self.follower.outcome().is_success() {
            seen.fail(Outcome::Malformed.into());
        }
        self.failed = seen.failed.as_ref().map(Verdict::outcome);
        seen
    }

    /// Whether the API has said its last word: what comes, or does not come, after it changes nothing.
    pub(crate) fn is_over(&self) -> bool {
        self.follower.is_over()
    }

    /// What the stream came to if no more bytes came. Truncated until the API's own end has been seen.
    pub(crate) fn outcome(&self) -> Outcome {
        self.failed.unwrap_or_else(|| self.follower.outcome())
    }

    /// What the answer cost, once that was said.
    pub(crate) fn tokens(&self) -> Option<Tokens> {
        self.follower.tokens()
    }

    /// The first byte of a body that is no stream of events, whatever its label says: JSON, or a page.
    pub(crate) fn foreign(&self) -> Option<u8> {
        self.first.filter(|first| matches!(first, b'{' | b'[' | b'<'))
    }

    /// The bytes are over: reads what is left. The outcome of a whole stream, which may be blocked, or why it is none.
    pub(crate) fn finish(&mut self) -> Result<Outcome, Verdict> {
        if let Some(outcome) = self.failed {
            return Err(outcome.into());
        }
        let mut seen = Seen::default();
        let follower = &mut self.follower;
        self.decoder.finish(|event| follower.event(event.name, event.data, &mut seen));
        // Half an event is one that was cut, not one that is malformed.
        let failed = seen.failed.filter(|verdict| verdict.outcome() != Outcome::Malformed);
        let failed = match (failed, self.follower.outcome()) {
            (Some(verdict), _) => verdict,
            (None, whole @ (Outcome::Success | Outcome::Blocked)) => return Ok(whole),
            (None, _) if self.first.is_none() => Outcome::Empty.into(),
            (None, _) if !self.decoder.is_framed() => Outcome::Malformed.into(),
            (None, outcome) => outcome.into(),
        };
        self.failed = Some(failed.outcome());
        Err(failed)
    }
}

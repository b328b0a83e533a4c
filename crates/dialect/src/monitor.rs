//! Watches the bytes of a stream: decodes its events and reads them in their dialect.

use crate::{
    Dialect, Expected, FrameSummary, StreamFraming, Tokens,
    decode::{array, ndjson, sse},
    follower::Follower,
    outcome::{Outcome, Verdict},
};

/// Watches one stream.
#[derive(Debug)]
pub struct StreamMonitor {
    decoder: Decoder,
    follower: Follower,
    /// Whether it may turn out to be an array: its first byte tells.
    may_be_array: bool,
    /// What it failed with: nothing is read any more.
    failed: Option<Outcome>,
    /// The first byte that is not white space.
    first: Option<u8>,
}

/// How the events of a stream are told apart.
#[derive(Debug)]
enum Decoder {
    Events(sse::Decoder),
    Lines(ndjson::Decoder),
    Array(array::Decoder),
}

// === impl StreamMonitor ===

impl StreamMonitor {
    /// Watches a stream of that dialect from its first byte on.
    pub fn new(dialect: Dialect, expected: impl Into<Expected>) -> Self {
        let (decoder, may_be_array) = match dialect.framing() {
            StreamFraming::Sse => (Decoder::Events(sse::Decoder::new()), false),
            StreamFraming::SseOrArray => (Decoder::Events(sse::Decoder::new()), true),
            StreamFraming::JsonLines => (Decoder::Lines(ndjson::Decoder::default()), false),
        };
        let follower = dialect.follower(expected);
        Self { decoder, follower, may_be_array, failed: None, first: None }
    }

    /// Takes nothing but server-sent events for a stream: where none was asked for, JSON is the answer itself.
    pub fn events_only(self) -> Self {
        Self { decoder: Decoder::Events(sse::Decoder::new()), may_be_array: false, ..self }
    }

    /// Reads the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) -> FrameSummary {
        let mut seen = FrameSummary::default();
        let bytes = self.short(bytes, &mut seen);
        if bytes.is_empty() {
            return seen;
        }
        if self.first.is_none() {
            self.first = bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace());
            if self.may_be_array && self.first == Some(b'[') {
                self.decoder = Decoder::Array(array::Decoder::default());
            }
        }
        if self.failed.is_some() || self.is_over() || self.foreign().is_some() {
            return seen;
        }
        let follower = &mut self.follower;
        let each = |event: sse::Event<'_>| {
            seen.events += 1;
            if seen.failed.is_none() {
                follower.event(event.name, event.data, &mut seen);
            }
        };
        let fed = match &mut self.decoder {
            Decoder::Events(decoder) => decoder.feed(bytes, each),
            Decoder::Lines(decoder) => decoder.feed(bytes, each),
            Decoder::Array(decoder) => decoder.feed(bytes, each),
        };
        if matches!(&self.decoder, Decoder::Array(decoder) if decoder.is_closed()) {
            self.follower.end(&mut seen);
        }
        if fed.is_err() && !self.follower.outcome().is_success() {
            seen.fail(Outcome::Malformed.into());
        }
        self.failed = seen.failed.as_ref().map(Verdict::outcome);
        seen
    }

    /// Reads the events at the beginning that are like those before them, and tells what comes after: one pass over their
    /// bytes, where the long way takes four.
    fn short<'a>(&mut self, mut bytes: &'a [u8], seen: &mut FrameSummary) -> &'a [u8] {
        let Decoder::Events(decoder) = &self.decoder else { return bytes };
        if self.failed.is_some() || !decoder.is_between() || self.is_over() {
            return bytes;
        }
        let follower = &mut self.follower;
        let mut next = |bytes: &'a [u8]| follower.short(bytes.strip_prefix(b"data: ")?, seen);
        let mut events = 0;
        while let Some(rest) = next(bytes) {
            (bytes, events) = (rest, events + 1);
        }
        seen.events += events;
        bytes
    }

    /// Whether the API has said its last word: what comes, or does not come, after it changes nothing.
    pub fn is_over(&self) -> bool {
        self.follower.is_over()
    }

    /// What the stream came to if no more bytes came. Truncated until the API's own end has been seen.
    pub fn outcome(&self) -> Outcome {
        self.failed.unwrap_or_else(|| self.follower.outcome())
    }

    /// What the answer cost, once that was said.
    pub fn tokens(&self) -> Option<Tokens> {
        self.follower.tokens()
    }

    /// The first byte of a body that is no stream, whatever its label says: JSON, or a page.
    pub fn foreign(&self) -> Option<u8> {
        let foreign: &[u8] = match &self.decoder {
            Decoder::Events(_) => b"{[<",
            Decoder::Lines(_) => b"[<",
            Decoder::Array(_) => b"",
        };
        self.first.filter(|first| foreign.contains(first))
    }

    /// Whether anything so far was of a stream.
    fn is_framed(&self) -> bool {
        match &self.decoder {
            Decoder::Events(decoder) => decoder.is_framed(),
            Decoder::Lines(_) => self.first == Some(b'{'),
            Decoder::Array(_) => true,
        }
    }

    /// The bytes are over: reads what is left. The outcome of a whole stream, which may be blocked, or why it is none.
    pub fn finish(&mut self) -> Result<Outcome, Verdict> {
        if let Some(outcome) = self.failed {
            return Err(outcome.into());
        }
        let mut seen = FrameSummary::default();
        let follower = &mut self.follower;
        let each = |event: sse::Event<'_>| follower.event(event.name, event.data, &mut seen);
        match &mut self.decoder {
            Decoder::Events(decoder) => decoder.finish(each),
            Decoder::Lines(decoder) => decoder.finish(each),
            // An element is read with its last byte.
            Decoder::Array(_) => {}
        }
        // Half an event is one that was cut, not one that is malformed.
        let failed = seen.failed.filter(|verdict| verdict.outcome() != Outcome::Malformed);
        let failed = match (failed, self.follower.outcome()) {
            (Some(verdict), _) => verdict,
            (None, whole @ (Outcome::Success | Outcome::Blocked)) => return Ok(whole),
            (None, _) if self.first.is_none() => Outcome::Empty.into(),
            (None, _) if !self.is_framed() => Outcome::Malformed.into(),
            (None, outcome) => outcome.into(),
        };
        self.failed = Some(failed.outcome());
        Err(failed)
    }
}

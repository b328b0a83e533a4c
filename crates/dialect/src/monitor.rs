//! Follows the bytes of a stream: decodes its events and parses them in their dialect.

use crate::{
    AnswerInfo, BodyForm, Dialect, Expected, FrameSummary, StreamFraming, Usage,
    answer_state::AnswerState,
    decode::{Decoder, RawEvent, TooLarge},
    outcome::{Outcome, Verdict},
    reader::EventReader,
};

/// Follows one stream.
#[derive(Debug)]
pub struct StreamMonitor {
    decoder: Decoder,
    reader: EventReader,
    answer: AnswerState,
    framing: StreamFraming,
    /// The failure of the stream: later bytes are ignored.
    failed: Option<Outcome>,
    /// The form of the body, once its first bytes have told it.
    form: Option<BodyForm>,
}

// === impl StreamMonitor ===

impl StreamMonitor {
    /// Follows a stream of that dialect from its first byte.
    pub fn new(dialect: Dialect, expected: impl Into<Expected>) -> Self {
        let (framing, expected) = (dialect.framing(), expected.into());
        Self {
            decoder: Decoder::new(framing),
            framing,
            reader: EventReader::learning(dialect, expected.codes()),
            answer: AnswerState::new(&expected),
            failed: None,
            form: None,
        }
    }

    /// Accepts only server-sent events as a stream, for a request that did not ask for one: JSON is then the answer itself.
    pub fn events_only(self) -> Self {
        let framing = StreamFraming::Sse;
        Self { decoder: Decoder::new(framing), framing, ..self }
    }

    /// Parses the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) -> FrameSummary {
        let mut seen = FrameSummary::default();
        if self.form.is_none() {
            self.form = BodyForm::of(bytes);
        }
        if self.failed.is_some() || self.is_over() || self.foreign().is_some() {
            return seen;
        }
        let fed = self.events(bytes, &mut seen);
        if self.decoder.is_closed() {
            self.answer.close(&mut seen);
        }
        if fed.is_err() && !self.answer.outcome().is_success() {
            seen.fail(Outcome::Malformed.into());
        }
        self.failed = seen.failed.as_ref().map(Verdict::outcome);
        seen
    }

    /// Parses the events that end in the bytes. Events that match the template take a shorter path, in one pass over their bytes.
    fn events(&mut self, mut bytes: &[u8], seen: &mut FrameSummary) -> Result<(), TooLarge> {
        let Self { decoder, reader, answer, .. } = self;
        while !bytes.is_empty() {
            if seen.failed.is_none() && decoder.is_between_events() && !answer.is_over() {
                let mut alike = 0;
                while let Some(rest) = reader.after_alike(bytes) {
                    (bytes, alike) = (rest, alike + 1);
                }
                seen.events += alike;
                answer.add_content(alike, seen);
            }
            let read = decoder.feed_one(bytes, |raw| {
                seen.events += 1;
                if seen.failed.is_none() {
                    next(reader, answer, &raw, seen);
                }
            })?;
            bytes = &bytes[read..];
        }
        Ok(())
    }

    /// Whether the last event of the API has arrived. Later events, or their absence, change nothing.
    pub fn is_over(&self) -> bool {
        self.answer.is_over()
    }

    /// The outcome of the stream if no more bytes arrive: truncated until the API's own end has been seen.
    pub fn outcome(&self) -> Outcome {
        self.failed.unwrap_or_else(|| self.answer.outcome())
    }

    /// The usage of the answer, once an event has reported it.
    pub fn usage(&self) -> Option<Usage> {
        self.answer.tokens()
    }

    /// The facts of the answer so far: its id, model, finish reasons and usage.
    pub fn info(&self) -> AnswerInfo {
        self.answer.info()
    }

    /// Whether the answer is whole, and its usage, which was asked for, has not arrived.
    pub fn awaits_usage(&self) -> bool {
        self.answer.awaits_usage()
    }

    /// Records that the bytes have ended in order, and were not cut: for [`finish`](Self::finish).
    pub fn end_in_order(&mut self) {
        self.answer.end_in_order();
    }

    /// The form of a body that is not a stream, whatever its content type: JSON, or a page.
    pub fn foreign(&self) -> Option<BodyForm> {
        self.form.filter(|form| match form {
            BodyForm::Page => true,
            BodyForm::Object => self.framing != StreamFraming::JsonLines,
            BodyForm::Array => self.framing != StreamFraming::SseOrArray,
            BodyForm::Text => false,
        })
    }

    /// Whether there are bytes, and none of them is framed as a stream.
    pub fn is_unframed(&self) -> bool {
        self.form.is_some() && !self.is_framed()
    }

    /// Whether any of the bytes were framed as a stream.
    fn is_framed(&self) -> bool {
        match self.framing {
            StreamFraming::JsonLines => self.form == Some(BodyForm::Object),
            StreamFraming::Sse | StreamFraming::SseOrArray => self.decoder.is_framed(),
        }
    }

    /// Ends the bytes and parses the rest. Returns the outcome of a whole stream, which may be blocked, or the failure.
    pub fn finish(&mut self) -> Result<Outcome, Verdict> {
        if let Some(outcome) = self.failed {
            return Err(outcome.into());
        }
        let mut seen = FrameSummary::default();
        let Self { reader, answer, .. } = self;
        self.decoder.finish(|raw| next(reader, answer, &raw, &mut seen));
        // An incomplete event at the end was truncated, and is not malformed.
        let failed = seen.failed.filter(|verdict| verdict.outcome() != Outcome::Malformed);
        let failed = match (failed, self.answer.outcome()) {
            (Some(verdict), _) => verdict,
            (None, whole @ (Outcome::Success | Outcome::Blocked)) => return Ok(whole),
            (None, _) if self.form.is_none() => Outcome::Empty.into(),
            (None, _) if !self.is_framed() => Outcome::Malformed.into(),
            (None, outcome) => outcome.into(),
        };
        self.failed = Some(failed.outcome());
        Err(failed)
    }
}

/// Parses an event. Events after the last event of the API are ignored.
pub(crate) fn next(
    reader: &mut EventReader,
    answer: &mut AnswerState,
    raw: &RawEvent<'_>,
    seen: &mut FrameSummary,
) {
    if answer.is_over() {
        return;
    }
    match reader.is_alike(raw) {
        true => answer.add_content(1, seen),
        false => reader.read_lossy(raw, |event, _| answer.add(event, seen)),
    }
}

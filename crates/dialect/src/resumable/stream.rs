//! Reads the events of a stream as they are handed on, and those of the answer that follows it.

use bytes::{Bytes, BytesMut};
use serde_json::Value;

use super::partial_event::PartialEvent;
use crate::{
    Dialect, Expected, FrameSummary,
    answer_state::AnswerState,
    decode::{EventBoundary, EventFrame, RawEvent},
    events::{AnswerEvent, JsonText},
    json::trim_bom,
    outcome::{ErrorCodeTable, Outcome, Verdict},
    reader::EventReader,
    splice::{SpliceAction, StreamSplicer},
};

/// Reads a stream event by event: hands on whole ones, keeps its text, and stops before one that is an error.
#[derive(Debug)]
pub struct ResumableStream {
    dialect: Dialect,
    /// Of the stream that is read.
    boundary: EventBoundary,
    answer: AnswerState,
    reader: EventReader,
    /// How the first one is written, once another follows it: the caller reads that.
    first: Option<EventFrame>,
    splicer: StreamSplicer,
    /// The text so far; `None` once the content was not text alone, or too much.
    text: Option<String>,
    /// An event whose end has not come.
    held: PartialEvent,
    /// An event was too large to be held back: the rest is handed on as it comes.
    blind: bool,
}

/// What was read of some bytes.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ReadOutcome {
    /// To be handed on.
    pub out: Vec<Bytes>,
    /// An event that is an error, or not of its dialect: it and what follows is in `rest`.
    pub failed: Option<Verdict>,
    /// The bytes from the failed event on, and empty where none failed.
    pub rest: Bytes,
}

// === impl ResumableStream ===

impl ResumableStream {
    /// The most text that another answer can go on with, in bytes.
    const MAX_TEXT: usize = 1024 * 1024;

    /// Reads a stream of that dialect from its first byte on.
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            boundary: EventBoundary::new(dialect.framing()),
            answer: AnswerState::new(&Expected::default()),
            // Whether an event is an error is the same whatever its code means.
            reader: EventReader::new(dialect, &ErrorCodeTable::default()),
            first: None,
            splicer: StreamSplicer::new(dialect),
            text: Some(String::new()),
            held: PartialEvent::default(),
            blind: false,
        }
    }

    /// The text so far, if another answer can go on with it.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref().filter(|_| !self.blind)
    }

    /// Whether another answer follows the first already.
    pub fn has_joined(&self) -> bool {
        self.first.is_some()
    }

    /// Whether nothing is held back.
    pub fn is_clear(&self) -> bool {
        self.held.is_empty()
    }

    /// Another answer follows: it was asked for what comes after the text without the white space at its end.
    pub fn join(&mut self) {
        self.held.clear();
        self.first.get_or_insert(self.boundary.frame());
        self.boundary = EventBoundary::new(self.dialect.framing());
        self.answer = AnswerState::new(&Expected::default());
        let text = self.text.as_deref().unwrap_or_default();
        self.splicer.join(&text[text.trim_end().len()..]);
    }

    /// Reads the next bytes.
    pub fn read(&mut self, data: Bytes) -> ReadOutcome {
        if self.blind {
            return ReadOutcome { out: vec![data], ..ReadOutcome::default() };
        }
        let mut piece = ReadOutcome::default();
        let mut done = 0;
        while let Some(end) = self.boundary.next(&data[done..]) {
            let end = done + end;
            if let Some(verdict) = self.block(&data.slice(done..end), &mut piece.out) {
                piece.failed = Some(verdict);
                break;
            }
            done = end;
        }
        if self.first.is_none() && done > 0 {
            piece.out.push(data.slice(..done));
        }
        let rest = data.slice(done..);
        if piece.failed.is_some() {
            piece.rest = rest;
        } else if !rest.is_empty() {
            self.hold(rest, &mut piece);
        }
        piece
    }

    /// What is held back, in one piece.
    pub fn take_held(&mut self) -> Bytes {
        self.held.take()
    }

    /// The stream is whole: what stands behind its last event.
    pub fn finish(&mut self) -> Bytes {
        let held = self.take_held();
        let Some(end) = self.first.map(EventFrame::end) else { return held };
        let mut out = Vec::new();
        // A last event whose end never came; behind the last one of an array stands its bracket.
        if self.boundary.frame() != EventFrame::Array && !held.trim_ascii().is_empty() {
            self.another(&[&held[..], b"\n\n"].concat(), &mut out);
        }
        out.push(Bytes::from_static(end));
        out.concat().into()
    }

    fn hold(&mut self, rest: Bytes, piece: &mut ReadOutcome) {
        self.held.push(rest);
        match self.first {
            _ if !self.held.is_past() => {}
            None => {
                self.blind = true;
                self.held.move_to(&mut piece.out);
            }
            // What does not end cannot be made to follow anything.
            Some(_) => piece.failed = Some(Outcome::Malformed.into()),
        }
    }

    /// One whole event, of which the beginning may have been held back.
    fn block(&mut self, end: &Bytes, out: &mut Vec<Bytes>) -> Option<Verdict> {
        let whole: BytesMut;
        let block: &[u8] = if self.held.is_empty() {
            end
        } else {
            whole = self.held.with(end);
            &whole
        };
        let failed = match self.first {
            None => self.own(block),
            Some(_) => self.another(block, out),
        };
        // The beginning goes with its end, unless that is an error.
        if failed.is_none() {
            match self.first {
                None => self.held.move_to(out),
                Some(_) => self.held.clear(),
            }
        }
        failed
    }

    /// An event of the first answer: it is handed on as it came.
    fn own(&mut self, block: &[u8]) -> Option<Verdict> {
        let Self { boundary, answer, reader, splicer, text, .. } = self;
        let mut failed = None;
        boundary.read(block, &mut Vec::new(), |name, data| {
            let event = reader.read(&RawEvent { name, data });
            let mut seen = FrameSummary::default();
            answer.add(&event, &mut seen);
            failed = seen.failed.take();
            if failed.is_some() || text.is_none() {
                return;
            }
            // The sentinel, or a ping, is no head that another answer would repeat.
            if trim_bom(data).starts_with(b"{") {
                splicer.note(&event);
            }
            keep(text, &event, &seen, 0);
        });
        failed
    }

    /// An event of the answer that follows: it is made to follow.
    fn another(&mut self, block: &[u8], out: &mut Vec<Bytes>) -> Option<Verdict> {
        let frame = self.first.unwrap_or(self.boundary.frame());
        let Self { boundary, answer, reader, splicer, text, .. } = self;
        let mut failed = None;
        boundary.read(block, &mut Vec::new(), |name, data| {
            let event = reader.read(&RawEvent { name, data });
            let mut seen = FrameSummary::default();
            answer.add(&event, &mut seen);
            failed = seen.failed.take();
            if failed.is_some() || data.is_empty() {
                return;
            }
            let Ok(mut json) = serde_json::from_slice::<Value>(data) else {
                // The sentinel, or a ping.
                out.push(frame.write(name, &String::from_utf8_lossy(data)).into());
                return;
            };
            let spliced = splicer.follow(&event, &mut json);
            if spliced.action == SpliceAction::Drop {
                return;
            }
            if let SpliceAction::After(before) = spliced.action {
                let name = before["type"].as_str().unwrap_or_default();
                out.push(frame.write(name.as_bytes(), &before.to_string()).into());
            }
            keep(text, &event, &seen, spliced.skipped);
            out.push(frame.write(name, &json.to_string()).into());
        });
        failed
    }
}

/// Keeps the text of an event, without its first `skipped` bytes; none of it any more where the event has other content, or there
/// is too much.
fn keep(text: &mut Option<String>, event: &AnswerEvent<'_>, seen: &FrameSummary, skipped: usize) {
    if seen.content == 0 {
        return;
    }
    let more = event.only_text().and_then(JsonText::decode);
    let more = more.as_deref().and_then(|more| more.get(skipped..));
    *text = text.take().zip(more).and_then(|(text, more)| {
        let fits = text.len() + more.len() <= ResumableStream::MAX_TEXT;
        fits.then(|| text + more)
    });
}

//! Parses the events of a stream as they are passed on, and those of the answer that follows it.

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

/// Parses a stream event by event: passes on whole events, keeps their text, and stops before an error event.
#[derive(Debug)]
pub struct ResumableStream {
    dialect: Dialect,
    /// The framing of the current stream.
    boundary: EventBoundary,
    answer: AnswerState,
    reader: EventReader,
    /// The framing of the first stream, once another answer follows it: the caller parses that framing.
    first: Option<EventFrame>,
    splicer: StreamSplicer,
    /// The text so far; `None` once there was other content, or the text was too long.
    text: Option<String>,
    /// The event whose end has not arrived.
    held: PartialEvent,
    /// Whether an event was too large to be held back: the rest is passed on as it arrives.
    blind: bool,
}

/// The result of parsing some bytes.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ReadOutcome {
    /// The bytes to pass on.
    pub out: Vec<Bytes>,
    /// The verdict on an event that is an error, or not of its dialect. The event and the bytes after it are in `rest`.
    pub failed: Option<Verdict>,
    /// The bytes from the failed event on; empty if none failed.
    pub rest: Bytes,
}

// === impl ResumableStream ===

impl ResumableStream {
    /// The largest text that another answer can continue, in bytes: 1 MiB.
    const MAX_TEXT: usize = 1024 * 1024;

    /// Parses a stream of that dialect from its first byte.
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            boundary: EventBoundary::new(dialect.framing()),
            answer: AnswerState::new(&Expected::default()),
            // Whether an event is an error does not depend on the meaning of its code.
            reader: EventReader::new(dialect, &ErrorCodeTable::default()),
            first: None,
            splicer: StreamSplicer::new(dialect),
            text: Some(String::new()),
            held: PartialEvent::default(),
            blind: false,
        }
    }

    /// The text so far, if another answer can continue it.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref().filter(|_| !self.blind)
    }

    /// Whether another answer follows the first one already.
    pub fn has_joined(&self) -> bool {
        self.first.is_some()
    }

    /// Whether nothing is held back.
    pub fn is_clear(&self) -> bool {
        self.held.is_empty()
    }

    /// Starts the answer that follows. It was requested to continue the text without the white space at its end.
    pub fn join(&mut self) {
        self.held.clear();
        self.first.get_or_insert(self.boundary.frame());
        self.boundary = EventBoundary::new(self.dialect.framing());
        self.answer = AnswerState::new(&Expected::default());
        let text = self.text.as_deref().unwrap_or_default();
        self.splicer.join(&text[text.trim_end().len()..]);
    }

    /// Parses the next bytes.
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

    /// Takes the bytes held back, in one piece.
    pub fn take_held(&mut self) -> Bytes {
        self.held.take()
    }

    /// The stream has ended. Returns the bytes after its last event.
    pub fn finish(&mut self) -> Bytes {
        let held = self.take_held();
        let Some(end) = self.first.map(EventFrame::end) else { return held };
        let mut out = Vec::new();
        // A last event without an end. After the last element of an array comes its bracket.
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
            // Incomplete content cannot be made to follow the first answer.
            Some(_) => piece.failed = Some(Outcome::Malformed.into()),
        }
    }

    /// Processes one whole event, whose start may have been held back.
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
        // The start is passed on with its end, unless the event is an error.
        if failed.is_none() {
            match self.first {
                None => self.held.move_to(out),
                Some(_) => self.held.clear(),
            }
        }
        failed
    }

    /// Processes an event of the first answer, which is passed on unchanged.
    fn own(&mut self, block: &[u8]) -> Option<Verdict> {
        let Self { boundary, answer, reader, splicer, text, .. } = self;
        let mut failed = None;
        boundary.read(block, &mut Vec::new(), |name, data| {
            reader.read_lossy(&RawEvent { name, data }, |event, raw| {
                let mut seen = FrameSummary::default();
                answer.add(event, &mut seen);
                failed = seen.failed.take();
                if failed.is_some() || text.is_none() {
                    return;
                }
                // The sentinel, or a ping, is not a head that another answer would repeat.
                if trim_bom(raw.data).starts_with(b"{") {
                    splicer.note(event);
                }
                keep(text, event, &seen, 0);
            });
        });
        failed
    }

    /// Processes an event of the following answer, and rewrites it to follow the first.
    fn another(&mut self, block: &[u8], out: &mut Vec<Bytes>) -> Option<Verdict> {
        let frame = self.first.unwrap_or(self.boundary.frame());
        let Self { boundary, answer, reader, splicer, text, .. } = self;
        let mut failed = None;
        boundary.read(block, &mut Vec::new(), |name, data| {
            reader.read_lossy(&RawEvent { name, data }, |event, raw| {
                let mut seen = FrameSummary::default();
                answer.add(event, &mut seen);
                failed = seen.failed.take();
                if failed.is_some() || raw.data.is_empty() {
                    return;
                }
                let json = serde_json::from_slice(raw.data).ok().filter(Value::is_object);
                let Some(mut json) = json else {
                    // The sentinel, or a ping.
                    out.push(frame.write(name, &String::from_utf8_lossy(raw.data)).into());
                    return;
                };
                let spliced = splicer.follow(event, &mut json);
                if spliced.action == SpliceAction::Drop {
                    return;
                }
                if let SpliceAction::After(before) = spliced.action {
                    let name = before["type"].as_str().unwrap_or_default();
                    out.push(frame.write(name.as_bytes(), &before.to_string()).into());
                }
                keep(text, event, &seen, spliced.skipped);
                out.push(frame.write(name, &json.to_string()).into());
            });
        });
        failed
    }
}

/// Keeps the text of an event, without its first `skipped` bytes; drops the text if the event has other content, or the text is
/// too long.
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

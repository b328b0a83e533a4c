//! Reads the events of a stream as they are handed on, and those of the answer that follows it.

use bytes::{Bytes, BytesMut};
use serde_json::Value;

use super::{blocks::Blocks, partial_event::PartialEvent};
use crate::{
    Dialect, FrameSummary,
    follower::Follower,
    outcome::{ErrorCodeTable, Outcome, Verdict},
    splice::{SpliceAction, StreamSplicer},
};

/// Reads a stream event by event: hands on whole ones, keeps what was said, and stops before one that is an error.
#[derive(Debug)]
pub struct ResumableStream {
    dialect: Dialect,
    follower: Follower,
    /// Of the stream that is read.
    blocks: Blocks,
    /// Of the first one, once another follows it: the caller reads that.
    first: Option<Blocks>,
    seam: StreamSplicer,
    said: String,
    /// Whether all that was said is text, and not too much of it.
    expressible: bool,
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
    /// As much text can be gone on with; more is said only by machines.
    const SAID: usize = 1024 * 1024;

    /// Reads a stream of that dialect from its first byte on.
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            // Whether an event is an error is the same whatever its code means.
            follower: dialect.follower(&ErrorCodeTable::default()),
            blocks: Blocks::new(dialect.framing()),
            first: None,
            seam: StreamSplicer::new(dialect),
            said: String::new(),
            expressible: true,
            held: PartialEvent::default(),
            blind: false,
        }
    }

    /// What was said so far, if another answer can go on with it.
    pub fn said(&self) -> Option<&str> {
        (self.expressible && !self.blind).then_some(&self.said)
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
        self.follower = self.dialect.follower(&ErrorCodeTable::default());
        let blocks = std::mem::replace(&mut self.blocks, Blocks::new(self.dialect.framing()));
        self.first.get_or_insert(blocks);
        self.seam.join(&self.said[self.said.trim_end().len()..]);
    }

    /// Reads the next bytes.
    pub fn read(&mut self, data: Bytes) -> ReadOutcome {
        if self.blind {
            return ReadOutcome { out: vec![data], ..ReadOutcome::default() };
        }
        let mut piece = ReadOutcome::default();
        let mut done = 0;
        while let Some(end) = self.blocks.next(&data[done..]) {
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
        let Some(end) = self.first.as_ref().map(Blocks::end) else { return held };
        let mut out = Vec::new();
        // A last event whose end never came; behind the last one of an array stands its bracket.
        if !matches!(self.blocks, Blocks::Array(_)) && !held.trim_ascii().is_empty() {
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
        let mut failed = None;
        let Self { blocks, follower, seam, said, expressible, dialect, .. } = self;
        blocks.read(block, |name, data| {
            let mut seen = FrameSummary::default();
            follower.event(name, data, &mut seen);
            failed = seen.failed.take();
            if failed.is_none() && *expressible {
                let event = serde_json::from_slice(data).unwrap_or_default();
                note(seam, &event);
                *expressible = keep(*dialect, &event, &seen, said);
            }
        });
        failed
    }

    /// An event of the answer that follows: it is made to follow.
    fn another(&mut self, block: &[u8], out: &mut Vec<Bytes>) -> Option<Verdict> {
        let mut failed = None;
        let Self { blocks, follower, seam, said, expressible, dialect, first, .. } = self;
        let shape = first.as_ref().unwrap_or(blocks);
        blocks.read(block, |name, data| {
            let mut seen = FrameSummary::default();
            follower.event(name, data, &mut seen);
            failed = seen.failed.take();
            if failed.is_some() || data.is_empty() {
                return;
            }
            match serde_json::from_slice::<Value>(data) {
                Ok(event) => {
                    for (name, event) in fitted(seam, name, event) {
                        *expressible = *expressible && keep(*dialect, &event, &seen, said);
                        out.push(shape.write(&name, &event.to_string()).into());
                    }
                }
                // The sentinel, or a ping.
                Err(_) => out.push(shape.write(name, &String::from_utf8_lossy(data)).into()),
            }
        });
        failed
    }
}

/// What is handed on of an event of the answer that follows, with what has to come before it.
fn fitted(seam: &mut StreamSplicer, name: &[u8], mut event: Value) -> Vec<(Vec<u8>, Value)> {
    let mut all = match seam.fit(&mut event) {
        SpliceAction::Drop => return Vec::new(),
        SpliceAction::Keep => Vec::new(),
        SpliceAction::After(before) => {
            let name = before["type"].as_str().unwrap_or_default().into();
            vec![(name, before)]
        }
    };
    all.push((name.to_vec(), event));
    all.iter().for_each(|(_, event)| note(seam, event));
    all
}

fn note(seam: &mut StreamSplicer, event: &Value) {
    if event.is_object() {
        seam.note(event);
    }
}

/// Keeps what an event says. Whether that can be expressed, with all that came before.
fn keep(dialect: Dialect, event: &Value, seen: &FrameSummary, said: &mut String) -> bool {
    if seen.content == 0 {
        return true;
    }
    match dialect.said(event) {
        Some(text) if said.len() + text.len() <= ResumableStream::SAID => {
            said.push_str(text);
            true
        }
        _ => {
            *said = String::new();
            false
        }
    }
}

//! What a fault does to the bytes of an answer. Pure: bytes in, steps out.

use std::{io, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::{
    Fault,
    answer::error_body,
    step::{Step, Steps},
};
use crate::{
    coding::Codings,
    dialect::{Dialect, ErrorReply, EventBlock, EventBlocks, Expected, RequestInfo, StreamFraming},
    outcome::ErrorCodeTable,
};

/// A fault, and how far the answer has come.
#[derive(Debug)]
pub(super) struct Damage {
    fault: Fault,
    dialect: Option<Dialect>,
    /// The events of the answer, if the fault is about events and the answer is a stream of them.
    blocks: Option<EventBlocks>,
    /// Whether it is a stream of events.
    streams: bool,
    /// The events with content so far.
    events: u32,
    bytes: usize,
    /// The last event with content.
    last: Bytes,
    /// Whether the fault has happened: the rest of the answer is left alone.
    done: bool,
}

// === impl Damage ===

impl Damage {
    pub(super) fn new(fault: Fault, headers: &HeaderMap, info: &RequestInfo) -> Self {
        let blocks = match (info.dialect(), &fault) {
            // They are about bytes.
            (_, Fault::ResetAfter { .. } | Fault::Drip { .. }) => None,
            (Some(dialect), _) if info.stream() && Codings::of(headers) == Codings::Plain => {
                let expected = Expected::answer_to(&ErrorCodeTable::default(), info);
                Some(EventBlocks::new(dialect, expected))
            }
            _ => None,
        };
        let (dialect, streams) = (info.dialect(), blocks.is_some());
        Self {
            fault,
            dialect,
            blocks,
            streams,
            events: 0,
            bytes: 0,
            last: Bytes::new(),
            done: false,
        }
    }

    /// The steps for the next bytes.
    pub(super) fn push(&mut self, data: Bytes, steps: &mut Steps) {
        match self.blocks.take() {
            Some(mut blocks) => {
                blocks.push(data, |block| self.event(block, steps));
                self.blocks = Some(blocks);
            }
            None => self.part(data, steps),
        }
    }

    /// The steps for the end of the bytes.
    pub(super) fn end(&mut self, steps: &mut Steps) {
        if let Some(rest) = self.blocks.as_mut().and_then(EventBlocks::finish) {
            self.event(rest, steps);
        }
        if !self.done {
            self.strike(Bytes::new(), steps);
        }
        steps.push(Step::End);
    }

    /// The bytes that are held back for an event whose end has not arrived.
    pub(super) fn rest(&mut self) -> Bytes {
        let rest = self.blocks.as_mut().and_then(EventBlocks::finish);
        rest.map_or_else(Bytes::new, |rest| rest.bytes)
    }

    /// One event of a stream.
    fn event(&mut self, event: EventBlock, steps: &mut Steps) {
        let EventBlock { bytes, content, finish, last, .. } = event;
        match self.fault {
            Fault::NoDone if last => return,
            Fault::NoFinish if finish => return,
            Fault::SlowEvents { every } if content => steps.push(Step::Wait(every)),
            _ => {}
        }
        if !self.done && self.is_due(content, finish || last) {
            return self.strike(bytes, steps);
        }
        if content {
            self.events = self.events.saturating_add(1);
            self.last = bytes.clone();
        }
        steps.push_data(bytes);
    }

    /// Whether the fault happens before an event.
    fn is_due(&self, content: bool, end: bool) -> bool {
        match self.fault {
            Fault::SlowContent { .. } | Fault::Comments { .. } => content || end,
            Fault::Cut { events }
            | Fault::Silence { events, .. }
            | Fault::Stall { events }
            | Fault::InvalidEvent { events }
            | Fault::ErrorEvent { events } => end || (content && self.events >= events),
            // There is an event to repeat.
            Fault::Endless { events, .. } => {
                (end || (content && self.events >= events)) && !self.last.is_empty()
            }
            _ => false,
        }
    }

    /// The fault, before `rest`, which follows if the fault is over or its end is not waited for.
    fn strike(&mut self, rest: Bytes, steps: &mut Steps) {
        self.done = true;
        match self.fault {
            Fault::SlowContent { delay } => steps.push(Step::Wait(delay)),
            Fault::Comments { every, count } => {
                let data = self.comment();
                steps.push(Step::Repeat { data, every, left: Some(count) });
            }
            Fault::Cut { .. } => steps.push(cut(Duration::ZERO)),
            Fault::Silence { lasts, .. } => steps.push(cut(lasts)),
            Fault::Stall { .. } => steps.push(Step::Hang),
            Fault::InvalidEvent { .. } => steps.push_data(self.invalid()),
            Fault::ErrorEvent { .. } => {
                steps.push_data(self.error());
                return steps.push(Step::End);
            }
            Fault::Endless { every, .. } if !self.last.is_empty() => {
                steps.push(Step::Repeat { data: self.last.clone(), every, left: None });
            }
            Fault::ResetAfter { .. } => steps.push(reset()),
            _ => {}
        }
        steps.push_data(rest);
    }

    /// A part of an answer that is not a stream of events, or whose events do not matter.
    fn part(&mut self, data: Bytes, steps: &mut Steps) {
        if self.done || data.is_empty() {
            return steps.push_data(data);
        }
        match self.fault {
            Fault::Drip { bytes: size, every } => steps.push(Step::Drip { data, size, every }),
            Fault::ResetAfter { bytes } => self.reset_within(data, bytes, steps),
            Fault::SlowContent { .. } | Fault::Comments { .. } => self.strike(data, steps),
            Fault::Cut { .. } | Fault::Silence { .. } | Fault::Stall { .. } => {
                let (first, rest) = halves(data);
                steps.push_data(first);
                self.strike(rest, steps);
            }
            Fault::InvalidEvent { .. } => {
                self.done = true;
                steps.push_data(halves(data).0);
                steps.push(Step::End);
            }
            Fault::ErrorEvent { .. } => {
                self.done = true;
                steps.push_data(error_body(self.dialect).into());
                steps.push(Step::End);
            }
            _ => steps.push_data(data),
        }
    }

    fn reset_within(&mut self, mut data: Bytes, after: usize, steps: &mut Steps) {
        let left = after.saturating_sub(self.bytes);
        if data.len() <= left {
            self.bytes += data.len();
            return steps.push_data(data);
        }
        steps.push_data(data.split_to(left));
        self.strike(data, steps);
    }

    /// A comment of the stream, or a blank line.
    fn comment(&self) -> Bytes {
        let events = self.streams && self.dialect.is_some_and(is_sse);
        Bytes::from_static(if events { b": keep-alive\n\n" } else { b"\n" })
    }

    /// An event that is not JSON.
    fn invalid(&self) -> Bytes {
        Bytes::from_static(match self.dialect.is_some_and(is_sse) {
            true => b"data: {\"choices\":[{\"delta\":\n\n",
            false => b"{\"message\":\n",
        })
    }

    /// An event with an error.
    fn error(&self) -> Bytes {
        let (status, code) = (StatusCode::INTERNAL_SERVER_ERROR, "server_error");
        let error = ErrorReply::new(status, code, "The server had an error.");
        self.dialect.map_or_else(Bytes::new, |dialect| error.event(dialect).into())
    }
}

/// Whether the events of a dialect are server-sent events; those of Gemini may be.
fn is_sse(dialect: Dialect) -> bool {
    dialect.framing() != StreamFraming::JsonLines
}

fn cut(after: Duration) -> Step {
    Step::Fail { after, kind: io::ErrorKind::UnexpectedEof }
}

fn reset() -> Step {
    Step::Fail { after: Duration::ZERO, kind: io::ErrorKind::ConnectionReset }
}

/// The first half of some bytes, and the rest, which is not empty.
fn halves(mut data: Bytes) -> (Bytes, Bytes) {
    let first = data.split_to(data.len() / 2);
    (first, data)
}

//! A stream that reports its failure as its last event.

#[cfg(test)]
mod tests;

use bytes::{Bytes, BytesMut};

use crate::{
    AnswerForm, Dialect, ErrorReply, RequestInfo,
    decode::{EventBoundary, EventFrame},
};

/// Ends a stream that broke with an error as its last event, in the caller's dialect: the head was sent before, and a body that
/// ends as HTTP requires is read by every client.
///
/// Half an event is held back until the rest arrives: no client can use it, and the error would be lost behind it. The bytes of a stream
/// that ends well are all handed on as they came.
///
/// ```
/// use evenkeel_dialect::{ErrorReply, ErrorTail, RequestInfo};
/// use http::StatusCode;
///
/// let body = r#"{"model":"m","stream":true}"#.into();
/// let request = http::Request::post("https://api.example/v1/chat/completions").body(body)?;
/// let mut tail = ErrorTail::new(&RequestInfo::read(&request)).expect("the dialect is known");
/// assert_eq!(tail.push("data: {}\n\ndata: {\"ch".into()), "data: {}\n\n");
/// let error = ErrorReply::new(StatusCode::BAD_GATEWAY, "cut", "the stream was cut");
/// let last = tail.fail(&error).expect("a stream of events can hold one");
/// assert!(last.starts_with(b"data: {\"error\":") && last.ends_with(b"\n\n"));
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Debug)]
pub struct ErrorTail {
    dialect: Dialect,
    form: AnswerForm,
    boundary: EventBoundary,
    held: BytesMut,
    /// More came of one event than is held back: what was handed on of it has to be ended first.
    partial: bool,
}

// === impl ErrorTail ===

impl ErrorTail {
    /// The most bytes of one event that are held back. Larger ones carry pictures.
    pub const MAX_HELD: usize = 256 * 1024;

    /// For the stream that a request asks for; `None` where its dialect is not known.
    pub fn new(info: &RequestInfo) -> Option<Self> {
        let dialect = info.dialect()?;
        Some(Self {
            dialect,
            form: info.form(),
            boundary: EventBoundary::new(dialect.framing()),
            held: BytesMut::new(),
            partial: false,
        })
    }

    /// Adds the next bytes; returns those up to the end of the last whole event.
    pub fn push(&mut self, mut data: Bytes) -> Bytes {
        let mut whole = 0;
        while let Some(end) = self.boundary.next(&data[whole..]) {
            whole += end;
        }
        self.partial &= whole == 0;
        let mut out = data.split_to(whole);
        if !self.held.is_empty() && whole > 0 {
            self.held.extend_from_slice(&out);
            out = self.held.split().freeze();
        }
        self.held.extend_from_slice(&data);
        self.spill(out)
    }

    /// The stream has ended well: the bytes that are left.
    pub fn finish(&mut self) -> Bytes {
        self.held.split().freeze()
    }

    /// The stream broke: its last bytes, which report the error; `None` where it cannot hold any, as a JSON array that has not begun
    /// or is closed. Half an event is dropped.
    pub fn fail(&mut self, error: &ErrorReply) -> Option<Bytes> {
        self.held.clear();
        let event = error.event(self.dialect);
        let undecided = self.boundary.is_undecided() && self.form == AnswerForm::Array;
        Some(match self.boundary.frame() {
            _ if undecided => return None,
            EventFrame::Sse if self.partial => format!("\n\n{event}").into(),
            EventFrame::JsonLines if self.partial => format!("\n{event}").into(),
            EventFrame::Sse | EventFrame::JsonLines => event.into(),
            EventFrame::Array if self.partial || !self.boundary.is_open() => return None,
            EventFrame::Array => {
                let before = if self.boundary.has_events() { "," } else { "[" };
                format!("{before}{}]", error.body(self.dialect)).into()
            }
        })
    }

    /// Adds what is held back of an event that is too large for that.
    fn spill(&mut self, out: Bytes) -> Bytes {
        if self.held.len() <= Self::MAX_HELD {
            return out;
        }
        self.partial = true;
        let rest = self.held.split().freeze();
        if out.is_empty() { rest } else { [out, rest].concat().into() }
    }
}

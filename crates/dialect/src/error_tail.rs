//! A stream that reports its failure as its last event.

#[cfg(test)]
mod tests;

use bytes::{Bytes, BytesMut};

use crate::{
    AnswerForm, Dialect, ErrorReply, RequestInfo,
    decode::{EventBoundary, EventFrame},
    response_progress::ResponseProgress,
};

/// Ends a broken stream with an error event in the caller's dialect. The head was sent before, so the error cannot be a
/// status; a body that ends as HTTP requires is read by every client.
///
/// An incomplete event is held back until its end arrives: no client can use it, and an error after it would be lost. The bytes
/// of a stream that does not fail are passed on unchanged.
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
    /// Whether the current event is larger than what is held back: the part that was passed on has to be ended first.
    partial: bool,
    progress: ResponseProgress,
}

// === impl ErrorTail ===

impl ErrorTail {
    /// The largest part of one event that is held back, in bytes: 256 KiB. Larger events contain images.
    pub const MAX_HELD: usize = 256 * 1024;

    /// A tail for the stream that a request asks for; `None` if its dialect is not known.
    pub fn new(info: &RequestInfo) -> Option<Self> {
        let dialect = info.dialect()?;
        Some(Self {
            dialect,
            form: info.form(),
            boundary: EventBoundary::new(dialect.framing()),
            held: BytesMut::new(),
            partial: false,
            progress: ResponseProgress::default(),
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
        if self.dialect == Dialect::OpenAiResponses {
            self.progress.add(&out);
        }
        self.held.extend_from_slice(&data);
        self.spill(out)
    }

    /// The stream has ended without a failure. Returns the remaining bytes.
    pub fn finish(&mut self) -> Bytes {
        self.held.split().freeze()
    }

    /// The stream broke. Returns its last bytes, which report the error, or `None` if the stream cannot have an error, as a JSON
    /// array that has not begun or is closed. An incomplete event is dropped.
    pub fn fail(&mut self, error: &ErrorReply) -> Option<Bytes> {
        self.held.clear();
        let event = error.event_after(self.dialect, &self.progress);
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

    /// Adds an event that is too large to be held back.
    fn spill(&mut self, out: Bytes) -> Bytes {
        if self.held.len() <= Self::MAX_HELD {
            return out;
        }
        self.partial = true;
        let rest = self.held.split().freeze();
        if out.is_empty() { rest } else { [out, rest].concat().into() }
    }
}

//! Parses the answers that a client receives without evenkeel's parsers, so that they do not judge themselves.

use std::borrow::Cow;

use http::HeaderMap;
use serde::{Deserialize, de::IgnoredAny};

use crate::{reply::WORDS, scenario::Harness};

/// The result of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CallResult {
    /// A whole answer of the primary.
    Primary,
    /// A whole answer of the secondary.
    Secondary,
    /// A stored answer.
    Stored,
    /// A canned reply.
    Canned,
    /// A failure, whether the client reported it or not: a status, an error, an incomplete answer.
    Error,
    /// No answer and no failure within 120 s.
    Hung,
}

/// An answer while it is received.
#[derive(Debug)]
pub(super) struct ReceivedAnswer {
    /// Whether the answer is a stream of events.
    is_stream: bool,
    bytes: Vec<u8>,
    text: String,
    ended: bool,
    failed: Option<&'static str>,
}

#[derive(Deserialize)]
struct ChatBody<'a> {
    #[serde(borrow, default)]
    choices: Vec<Choice<'a>>,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow, alias = "message")]
    delta: Delta<'a>,
    #[serde(borrow, default)]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default)]
    content: Option<Cow<'a, str>>,
}

/// The largest answer, in bytes.
const MAX_BYTES: usize = 1 << 20;

// === impl CallResult ===

impl CallResult {
    /// All results, in the order of the metrics.
    pub const ALL: [Self; 6] =
        [Self::Primary, Self::Secondary, Self::Stored, Self::Canned, Self::Error, Self::Hung];

    /// The name of the result.
    pub fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
            Self::Stored => "stored",
            Self::Canned => "canned",
            Self::Error => "error",
            Self::Hung => "hung",
        }
    }

    /// Whether the caller has an answer.
    pub fn is_answer(self) -> bool {
        !matches!(self, Self::Error | Self::Hung)
    }

    /// The source of an answer by its head: the fallback, else the provider; canned if the head has neither.
    fn of(headers: &HeaderMap, harness: &Harness) -> Result<Self, &'static str> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let fallback = text("evenkeel-served-by").unwrap_or_default();
        if fallback.contains("stored") {
            return Ok(Self::Stored);
        }
        match text("x-served-by") {
            _ if fallback.contains("canned") => Ok(Self::Canned),
            None => Ok(Self::Canned),
            Some(name) if name == harness.primary().name() => Ok(Self::Primary),
            Some(name) if name == harness.secondary().name() => Ok(Self::Secondary),
            Some(_) => Err("served by an unknown provider"),
        }
    }
}

// === impl ReceivedAnswer ===

impl ReceivedAnswer {
    pub(super) fn new(headers: &HeaderMap) -> Self {
        let content_type = headers.get(http::header::CONTENT_TYPE);
        let is_stream =
            content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        Self { is_stream, bytes: Vec::new(), text: String::new(), ended: false, failed: None }
    }

    /// Adds the next bytes. Returns whether there is content so far.
    pub(super) fn push(&mut self, data: &[u8]) -> bool {
        if self.bytes.len() + self.text.len() + data.len() > MAX_BYTES {
            self.failed = Some("too long");
            return !self.text.is_empty();
        }
        self.bytes.extend_from_slice(data);
        if self.is_stream {
            self.parse_lines();
        }
        !self.text.is_empty()
    }

    /// The result of the call, after the last byte.
    pub(super) fn finish(
        mut self,
        headers: &HeaderMap,
        harness: &Harness,
    ) -> Result<CallResult, String> {
        if !self.is_stream {
            let bytes = std::mem::take(&mut self.bytes);
            self.parse_event(&bytes);
        }
        if let Some(failed) = self.failed {
            return Err(failed.into());
        }
        let kind = CallResult::of(headers, harness)?;
        let is_own = matches!(kind, CallResult::Stored | CallResult::Canned);
        if !self.ended {
            return Err("an answer without an end".into());
        }
        match self.text.as_str() {
            "" => Err("an answer without content".into()),
            WORDS => Ok(kind),
            _ if is_own => Ok(kind),
            _ => Err("an answer with other words".into()),
        }
    }

    fn parse_lines(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let mut rest = &bytes[..];
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let line = rest[..end].trim_ascii();
            if let Some(data) = line.strip_prefix(b"data:") {
                self.parse_event(data.trim_ascii_start());
            }
            rest = &rest[end + 1..];
        }
        self.bytes = rest.to_vec();
    }

    fn parse_event(&mut self, data: &[u8]) {
        if data == b"[DONE]" {
            self.ended = true;
            return;
        }
        let Ok(chat) = serde_json::from_slice::<ChatBody<'_>>(data) else {
            self.failed.get_or_insert("not of this API");
            return;
        };
        if chat.error.is_some() {
            self.failed.get_or_insert("an error inside the answer");
        }
        for choice in chat.choices {
            self.text.push_str(&choice.delta.content.unwrap_or_default());
            self.ended |= choice.finish_reason.is_some();
        }
    }
}

//! A stored answer.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderValue, header};
use serde::{Deserialize, Serialize};

use crate::{
    Body, Response,
    dialect::{AnswerForm, AnswerSummary, Dialect, RequestInfo, SyntheticReply, Usage},
};

/// A stored answer: its bytes in the form in which they were received, and its text, from which the other forms are rendered.
///
/// A store that outlives the process keeps the bytes of [`to_bytes`](Self::to_bytes), and returns what
/// [`from_bytes`](Self::from_bytes) parses from them.
#[derive(Clone)]
pub struct Entry {
    head: Head,
    body: Bytes,
}

/// The metadata of a stored answer. Its field names and variants are written to stores: they must not change unless [`MARK`]
/// does.
#[derive(Clone, Serialize, Deserialize)]
struct Head {
    dialect: Language,
    shape: Shape,
    content_type: String,
    /// In milliseconds since 1970.
    stored_at: u64,
    model: Option<String>,
    /// Input and output tokens.
    tokens: Option<(u64, u64)>,
    /// The whole text, if the answer has nothing but text.
    text: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Language {
    OpenAiChat,
    OpenAiResponses,
    Anthropic,
    Gemini,
    Ollama,
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Shape {
    Json,
    Events,
    /// With the usage at the end, as a request may ask for it.
    EventsWithUsage,
    /// A stream as one JSON array.
    Array,
    Lines,
}

/// The prefix of every stored answer; its number changes with the format.
const MARK: &[u8] = b"evenkeel answer 1\n";

// === impl Entry ===

impl Entry {
    /// The memory of an entry beside its own bytes: key, head and place in a map.
    const OVERHEAD: usize = 256;

    /// An answer in that form with those bytes, stored now; `None` if its dialect is not known or its content type is not text.
    pub(super) fn new(
        info: &RequestInfo,
        summary: AnswerSummary,
        content_type: &HeaderValue,
        body: &Bytes,
        now: SystemTime,
    ) -> Option<Self> {
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let head = Head {
            dialect: Language::of(info.dialect()?)?,
            shape: Shape::of(info),
            content_type: content_type.to_str().ok()?.to_owned(),
            stored_at: since.as_millis() as u64,
            model: summary.model,
            tokens: summary.tokens.map(|tokens| (tokens.input, tokens.output)),
            text: summary.text.filter(|_| summary.plain),
        };
        // A copy, since the bytes may be a small part of a large buffer.
        Some(Self { head, body: Bytes::copy_from_slice(body) })
    }

    /// When it was stored.
    pub fn stored_at(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.head.stored_at)
    }

    /// The memory it takes, in bytes.
    pub fn weight(&self) -> usize {
        let text = self.head.text.as_ref().map_or(0, String::len);
        Self::OVERHEAD + self.body.len() + text
    }

    /// Serializes the entry, for a store that outlives the process.
    pub fn to_bytes(&self) -> Bytes {
        // The head has only strings and numbers, so serialization cannot fail.
        let head = serde_json::to_vec(&self.head).unwrap_or_default();
        [MARK, &head, b"\n", &self.body].concat().into()
    }

    /// Parses an entry; `None` if the bytes are not a stored answer, or one of a version that this one cannot read.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Option<Self> {
        let rest = strip(&bytes.into(), MARK)?;
        let end = memchr::memchr(b'\n', &rest)?;
        let head = serde_json::from_slice(&rest[..end]).ok()?;
        Some(Self { head, body: rest.slice(end + 1..) })
    }

    /// Renders the answer in the form that the request asks for; `None` if it has no such form.
    pub(super) fn replay(&self, info: &RequestInfo) -> Option<Response> {
        let Head { dialect, shape, content_type, model, tokens, text, .. } = &self.head;
        let spoken = info.dialect()?;
        if Language::of(spoken) != Some(*dialect) {
            return None;
        }
        if *shape == Shape::of(info) {
            let mut response = Response::new(Body::from(self.body.clone()));
            let content_type = HeaderValue::from_str(content_type).ok()?;
            response.headers_mut().insert(header::CONTENT_TYPE, content_type);
            return Some(response);
        }
        let (input, output) = tokens.unwrap_or_default();
        let tokens = Usage::new(input, output);
        let reply = SyntheticReply { text: text.as_deref()?, model: model.as_deref(), tokens };
        Some(spoken.render(reply, info).map(Body::from))
    }
}

fn strip(bytes: &Bytes, mark: &[u8]) -> Option<Bytes> {
    bytes.starts_with(mark).then(|| bytes.slice(mark.len()..))
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({:?}, {} bytes)", self.head.shape, self.body.len())
    }
}

// === impl Language ===

impl Language {
    fn of(dialect: Dialect) -> Option<Self> {
        Some(match dialect {
            Dialect::OpenAiChat => Self::OpenAiChat,
            Dialect::OpenAiResponses => Self::OpenAiResponses,
            Dialect::Anthropic => Self::Anthropic,
            Dialect::Gemini => Self::Gemini,
            Dialect::Ollama => Self::Ollama,
            _ => return None,
        })
    }
}

// === impl Shape ===

impl Shape {
    /// The form that a request asks for.
    pub(super) fn of(info: &RequestInfo) -> Self {
        match (info.stream(), info.dialect()) {
            (false, _) => Self::Json,
            (true, Some(Dialect::Ollama)) => Self::Lines,
            (true, Some(Dialect::Gemini)) if info.form() == AnswerForm::Array => Self::Array,
            (true, Some(Dialect::OpenAiChat)) if info.stream_usage() => Self::EventsWithUsage,
            (true, _) => Self::Events,
        }
    }

    /// Whether the content type and the first bytes match this form.
    pub(super) fn fits(self, content_type: &HeaderValue, bytes: &[u8]) -> bool {
        let first = bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace());
        let label = content_type.to_str().unwrap_or_default().to_ascii_lowercase();
        let events = label.starts_with("text/event-stream");
        match self {
            Self::Json | Self::Lines => first == Some(b'{') && !events,
            Self::Array => first == Some(b'['),
            Self::Events | Self::EventsWithUsage => {
                first.is_some() && !matches!(first, Some(b'{' | b'[' | b'<'))
            }
        }
    }
}

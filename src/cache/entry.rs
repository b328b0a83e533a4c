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

/// A stored answer: its bytes in the form in which they came, and its text, from which the other forms are made.
///
/// A store that outlives the process keeps [`to_bytes`](Self::to_bytes), and gives back what
/// [`from_bytes`](Self::from_bytes) reads.
#[derive(Clone)]
pub struct Entry {
    head: Head,
    body: Bytes,
}

/// What is known of a stored answer. Its names and words are written to stores: they stay, or [`MARK`] changes.
#[derive(Clone, Serialize, Deserialize)]
struct Head {
    dialect: Language,
    shape: Shape,
    content_type: String,
    /// In milliseconds since 1970.
    stored_at: u64,
    model: Option<String>,
    /// Of the request and of the answer.
    tokens: Option<(u64, u64)>,
    /// All that it says, where that is nothing but text.
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

/// The form in which an answer comes.
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

/// Stands before every stored answer: its number changes with what follows.
const MARK: &[u8] = b"evenkeel answer 1\n";

// === impl Entry ===

impl Entry {
    /// What an entry weighs beside its own bytes: key, head and place in a map.
    const OVERHEAD: usize = 256;

    /// An answer in that form with those bytes, stored now; `None` where it is not what the form says.
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
        // A copy: what came may be a small part of a large buffer.
        Some(Self { head, body: Bytes::copy_from_slice(body) })
    }

    /// When it was stored.
    pub fn stored_at(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.head.stored_at)
    }

    /// How much memory it takes, in bytes.
    pub fn weight(&self) -> usize {
        let text = self.head.text.as_ref().map_or(0, String::len);
        Self::OVERHEAD + self.body.len() + text
    }

    /// As bytes, for a store that outlives the process.
    pub fn to_bytes(&self) -> Bytes {
        // Strings and numbers: there is nothing in it that is no JSON.
        let head = serde_json::to_vec(&self.head).unwrap_or_default();
        [MARK, &head, b"\n", &self.body].concat().into()
    }

    /// From bytes; `None` for what is no stored answer, or one of a version that this one cannot read.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Option<Self> {
        let rest = strip(&bytes.into(), MARK)?;
        let end = memchr::memchr(b'\n', &rest)?;
        let head = serde_json::from_slice(&rest[..end]).ok()?;
        Some(Self { head, body: rest.slice(end + 1..) })
    }

    /// The answer once more, in the form that is asked; `None` where it cannot be put into that form.
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

    /// Whether bytes with that label are of this form, as far as their beginning tells.
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

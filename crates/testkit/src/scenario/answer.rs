//! What a client got: read apart from the crate's own readers, so that they are not their own judge.

use std::borrow::Cow;

use http::HeaderMap;
use serde::{Deserialize, de::IgnoredAny};

use crate::{reply::WORDS, scenario::Stage};

/// What a call came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A whole answer of the primary.
    Primary,
    /// A whole answer of the secondary.
    Secondary,
    /// A stored answer.
    Stored,
    /// A canned reply.
    Canned,
    /// A failure, told to the caller or not: a status, an error, a cut answer.
    Error,
    /// Nothing at all.
    Hung,
}

/// An answer as it comes in.
#[derive(Debug)]
pub(super) struct Answer {
    events: bool,
    bytes: Vec<u8>,
    text: String,
    ended: bool,
    failed: Option<&'static str>,
}

#[derive(Deserialize)]
struct Chat<'a> {
    #[serde(borrow, default)]
    choices: Vec<Choice<'a>>,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow, alias = "message")]
    delta: Content<'a>,
    #[serde(borrow, default)]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow, default)]
    content: Option<Cow<'a, str>>,
}

const MAX: usize = 1 << 20;

// === impl Kind ===

impl Kind {
    /// All of them, in the order of the figures.
    pub const ALL: [Self; 6] =
        [Self::Primary, Self::Secondary, Self::Stored, Self::Canned, Self::Error, Self::Hung];

    /// The word for it.
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

    /// Whether the caller has something to show.
    pub fn is_answer(self) -> bool {
        !matches!(self, Self::Error | Self::Hung)
    }

    /// Who answered, by what the head says: the rung, else the provider; what no provider served is canned.
    fn of(headers: &HeaderMap, stage: &Stage) -> Result<Self, &'static str> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let rung = text("evenkeel-rung").unwrap_or_default();
        if rung.contains("stored") {
            return Ok(Self::Stored);
        }
        match text("x-served-by") {
            _ if rung.contains("canned") => Ok(Self::Canned),
            None => Ok(Self::Canned),
            Some(name) if name == stage.primary().name() => Ok(Self::Primary),
            Some(name) if name == stage.secondary().name() => Ok(Self::Secondary),
            Some(_) => Err("served by a stranger"),
        }
    }
}

// === impl Answer ===

impl Answer {
    pub(super) fn new(headers: &HeaderMap) -> Self {
        let kind = headers.get(http::header::CONTENT_TYPE);
        let events = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        Self { events, bytes: Vec::new(), text: String::new(), ended: false, failed: None }
    }

    /// Takes the next bytes in. Whether there is any content so far.
    pub(super) fn push(&mut self, data: &[u8]) -> bool {
        if self.bytes.len() + self.text.len() + data.len() > MAX {
            self.failed = Some("too long");
            return !self.text.is_empty();
        }
        self.bytes.extend_from_slice(data);
        if self.events {
            self.lines();
        }
        !self.text.is_empty()
    }

    /// What it came to; all bytes are in.
    pub(super) fn finish(mut self, headers: &HeaderMap, stage: &Stage) -> Result<Kind, String> {
        if !self.events {
            let bytes = std::mem::take(&mut self.bytes);
            self.event(&bytes);
        }
        if let Some(failed) = self.failed {
            return Err(failed.into());
        }
        let kind = Kind::of(headers, stage)?;
        let own = matches!(kind, Kind::Stored | Kind::Canned);
        if !self.ended {
            return Err("an answer without an end".into());
        }
        match self.text.as_str() {
            "" => Err("an answer without content".into()),
            WORDS => Ok(kind),
            _ if own => Ok(kind),
            _ => Err("an answer with other words".into()),
        }
    }

    fn lines(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let mut rest = &bytes[..];
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let line = rest[..end].trim_ascii();
            if let Some(data) = line.strip_prefix(b"data:") {
                self.event(data.trim_ascii_start());
            }
            rest = &rest[end + 1..];
        }
        self.bytes = rest.to_vec();
    }

    fn event(&mut self, data: &[u8]) {
        if data == b"[DONE]" {
            self.ended = true;
            return;
        }
        let Ok(chat) = serde_json::from_slice::<Chat<'_>>(data) else {
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

//! An answer, described.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::reply::{Facts, Fault, Script, WORDS, plan::Plan};

/// One answer of a provider, described.
///
/// # Defaults
///
/// A whole answer of sixty words, one word an event, at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    pub(crate) what: What,
    pub(crate) faults: Vec<Fault>,
    pub(crate) pace: Pace,
    pub(crate) words_per_event: usize,
    pub(crate) model: Option<Arc<str>>,
    pub(crate) headers: HeaderMap,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    Chat { text: Arc<str> },
    Raw { status: StatusCode, pieces: Vec<Bytes>, sized: bool },
}

/// How long it takes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Pace {
    pub(crate) head: Duration,
    pub(crate) first: Duration,
    pub(crate) between: Duration,
}

// === impl Reply ===

impl Reply {
    /// A whole answer: [`WORDS`].
    pub fn answer() -> Self {
        Self::new(What::Chat { text: WORDS.into() })
    }

    /// A status with an error body in OpenAI's shape that says no more than the status.
    ///
    /// # Panics
    ///
    /// When the status is not within 200 and 999.
    pub fn status(status: u16) -> Self {
        Self::error(status, "", "")
    }

    /// A status with an error body in OpenAI's shape: its `type` and its `code`, each `null` where empty.
    ///
    /// # Panics
    ///
    /// When the status is not within 200 and 999.
    pub fn error(status: u16, kind: &str, code: &str) -> Self {
        let text = |text: &str| Some(text).filter(|text| !text.is_empty()).map(String::from);
        let message = format!("The provider answered {status}.");
        let error = serde_json::json!({
            "error": { "message": message, "type": text(kind), "param": null, "code": text(code) }
        });
        Self::raw(status, "application/json", error.to_string())
    }

    /// 429, with `Retry-After` where a wait is given.
    pub fn rate_limited(wait: Option<Duration>) -> Self {
        let reply = Self::error(429, "requests", "rate_limit_exceeded");
        match wait {
            Some(wait) => reply.retry_after(wait),
            None => reply,
        }
    }

    /// 429 because the money is gone: `insufficient_quota`.
    pub fn quota_exhausted() -> Self {
        Self::error(429, "insufficient_quota", "insufficient_quota")
    }

    /// 400: the prompt is longer than the model's context.
    pub fn context_length_exceeded() -> Self {
        Self::error(400, "invalid_request_error", "context_length_exceeded")
    }

    /// 400: the provider's content filter refused the prompt.
    pub fn content_policy_violation() -> Self {
        Self::error(400, "invalid_request_error", "content_policy_violation")
    }

    /// No connection is made.
    pub fn refused() -> Self {
        Self::answer().with(Fault::Refused)
    }

    /// The connection is reset before any byte.
    pub fn reset() -> Self {
        Self::answer().with(Fault::Reset)
    }

    /// Nothing is ever answered.
    pub fn hang() -> Self {
        Self::answer().with(Fault::Hang)
    }

    /// 200 without a byte, in the content type that was asked for.
    pub fn empty() -> Self {
        let pieces = Vec::new();
        Self::new(What::Raw { status: StatusCode::OK, pieces, sized: true })
    }

    /// 200 with a page for people, as a proxy in between would send.
    pub fn html() -> Self {
        Self::raw(200, "text/html", "<html><body>We will be right back.</body></html>")
    }

    /// Any status, content type and body.
    ///
    /// # Panics
    ///
    /// When the status is not within 200 and 999, or the content type cannot be a header value.
    pub fn raw(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let pieces = vec![body.into()];
        let what = What::Raw { status: checked(status), pieces, sized: true };
        Self::new(what).header("content-type", content_type)
    }

    /// 200 with a body of any pieces, one after the other, of a length that is not told beforehand.
    ///
    /// # Panics
    ///
    /// When the content type cannot be a header value.
    pub fn pieces<P: Into<Bytes>>(content_type: &str, pieces: impl IntoIterator<Item = P>) -> Self {
        let pieces = pieces.into_iter().map(Into::into).collect();
        let what = What::Raw { status: StatusCode::OK, pieces, sized: false };
        Self::new(what).header("content-type", content_type)
    }

    /// Adds a fault. Faults strike in the order in which they were added.
    #[must_use]
    pub fn with(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Another text than the sixty words. An empty one is a well-formed answer without content.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.what = What::Chat { text: text.into() };
        self
    }

    /// Another model in the answer than the one that was asked.
    #[must_use]
    pub fn model(mut self, model: &str) -> Self {
        self.model = Some(model.into());
        self
    }

    /// How many words an event has: 1 by default; 0 is taken for 1.
    #[must_use]
    pub fn words_per_event(mut self, words: usize) -> Self {
        self.words_per_event = words.max(1);
        self
    }

    /// How long it takes until the head: none by default.
    #[must_use]
    pub fn head_after(mut self, wait: Duration) -> Self {
        self.pace.head = wait;
        self
    }

    /// How long it takes from the head to the first content: none by default.
    #[must_use]
    pub fn first_content_after(mut self, wait: Duration) -> Self {
        self.pace.first = wait;
        self
    }

    /// How long it takes from one event with content to the next: none by default.
    #[must_use]
    pub fn between_events(mut self, wait: Duration) -> Self {
        self.pace.between = wait;
        self
    }

    /// Sets the header `retry-after`, in seconds with as many decimals as are needed.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        self.header("retry-after", &wait.as_secs_f64().to_string())
    }

    /// Sets a header of the answer.
    ///
    /// # Panics
    ///
    /// When the name or the value cannot be one of a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).expect("the name of a header is a token");
        let value = HeaderValue::try_from(value).expect("the value of a header is one line");
        self.headers.insert(name, value);
        self
    }

    /// Whether no connection is to be made.
    pub(crate) fn is_refused(&self) -> bool {
        self.faults.contains(&Fault::Refused)
    }

    /// What is to be done, step by step, to answer a request that says `facts` in the name of `name`.
    pub(crate) fn script(&self, facts: &Facts, name: &str) -> Script {
        Plan::of(self, facts, name).script()
    }

    fn new(what: What) -> Self {
        Self {
            what,
            faults: Vec::new(),
            pace: Pace::default(),
            words_per_event: 1,
            model: None,
            headers: HeaderMap::new(),
        }
    }
}

impl Default for Reply {
    fn default() -> Self {
        Self::answer()
    }
}

fn checked(status: u16) -> StatusCode {
    assert!(status >= 200, "the status of an answer is at least 200, not {status}");
    StatusCode::from_u16(status).expect("the status of an answer is at most 999")
}

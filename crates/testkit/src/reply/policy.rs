//! The description of an answer.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use evenkeel::dialect::FaultReply;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::reply::{Fault, WORDS};

/// The description of one answer of a provider.
///
/// # Defaults
///
/// A whole answer of sixty words, one word for each event, without latency.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    pub(crate) content: ReplyContent,
    pub(crate) faults: Vec<Fault>,
    pub(crate) latencies: Latencies,
    pub(crate) words_per_event: usize,
    pub(crate) model: Option<Arc<str>>,
    pub(crate) headers: HeaderMap,
}

/// The content of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ReplyContent {
    Chat { text: Arc<str> },
    Raw { status: StatusCode, pieces: Vec<Bytes>, sized: bool },
}

/// The latencies of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Latencies {
    pub(crate) head: Duration,
    pub(crate) first: Duration,
    pub(crate) between: Duration,
}

// === impl Reply ===

impl Reply {
    /// A whole answer: [`WORDS`].
    pub fn answer() -> Self {
        Self::new(ReplyContent::Chat { text: WORDS.into() })
    }

    /// A status with an error body in OpenAI's shape, without a code.
    ///
    /// # Panics
    ///
    /// When the status is not within 200 and 999.
    pub fn status(status: u16) -> Self {
        Self::failed(FaultReply::Status(checked(status)))
    }

    /// A status with an error body in OpenAI's shape: its `type` and its `code`, each `null` where empty. A 400 and a 422 name
    /// `messages` as what is wrong.
    ///
    /// # Panics
    ///
    /// When the status is not within 200 and 999.
    pub fn error(status: u16, kind: &str, code: &str) -> Self {
        let text = |text: &str| Some(text).filter(|text| !text.is_empty()).map(String::from);
        let message = format!("The provider answered {status}.");
        let param = matches!(status, 400 | 422).then_some("messages");
        let error = serde_json::json!({
            "error": { "message": message, "type": text(kind), "param": param, "code": text(code) }
        });
        Self::raw(status, "application/json", error.to_string())
    }

    /// 429, with `Retry-After` where a wait is given.
    pub fn rate_limited(wait: Option<Duration>) -> Self {
        let reply = Self::failed(FaultReply::RateLimited);
        match wait {
            Some(wait) => reply.retry_after(wait),
            None => reply,
        }
    }

    /// 429 because the quota is exhausted: `insufficient_quota`.
    pub fn quota_exhausted() -> Self {
        Self::failed(FaultReply::Quota)
    }

    /// 400: the prompt is longer than the model's context.
    pub fn context_length_exceeded() -> Self {
        Self::failed(FaultReply::ContextLength)
    }

    /// 400: the provider's content filter rejects the prompt.
    pub fn content_policy_violation() -> Self {
        Self::failed(FaultReply::Blocked)
    }

    /// No connection is made.
    pub fn refused() -> Self {
        Self::answer().with(Fault::Refused)
    }

    /// The connection is reset before any byte of an answer.
    pub fn reset() -> Self {
        Self::answer().with(Fault::Reset)
    }

    /// There is no answer.
    pub fn hang() -> Self {
        Self::answer().with(Fault::Hang)
    }

    /// 200 with an empty body, in the content type that the request asks for.
    pub fn empty() -> Self {
        let pieces = Vec::new();
        Self::new(ReplyContent::Raw { status: StatusCode::OK, pieces, sized: true })
    }

    /// 200 with an HTML page, as from a proxy.
    pub fn html() -> Self {
        Self::raw(200, "text/html", "<html><body>We will be right back.</body></html>")
    }

    /// Any status, content type and body.
    ///
    /// # Panics
    ///
    /// When the status is not within 200 and 999, or the content type is not a valid header value.
    pub fn raw(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let pieces = vec![body.into()];
        let content = ReplyContent::Raw { status: checked(status), pieces, sized: true };
        Self::new(content).header("content-type", content_type)
    }

    /// 200 with a body of these pieces, in order, without a content length.
    ///
    /// # Panics
    ///
    /// When the content type is not a valid header value.
    pub fn pieces<P: Into<Bytes>>(content_type: &str, pieces: impl IntoIterator<Item = P>) -> Self {
        let pieces = pieces.into_iter().map(Into::into).collect();
        let content = ReplyContent::Raw { status: StatusCode::OK, pieces, sized: false };
        Self::new(content).header("content-type", content_type)
    }

    /// Adds a fault. Faults apply in the order in which they are added.
    #[must_use]
    pub fn with(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Sets the text: the sixty words by default. An empty text is a well-formed answer without content.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.content = ReplyContent::Chat { text: text.into() };
        self
    }

    /// Sets the model in the answer: the model of the request by default.
    #[must_use]
    pub fn model(mut self, model: &str) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets the number of words of an event: 1 by default. 0 counts as 1.
    #[must_use]
    pub fn words_per_event(mut self, words: usize) -> Self {
        self.words_per_event = words.max(1);
        self
    }

    /// Sets the time from the request to the head: none by default.
    #[must_use]
    pub fn head_after(mut self, wait: Duration) -> Self {
        self.latencies.head = wait;
        self
    }

    /// Sets the time from the head to the first content: none by default.
    #[must_use]
    pub fn first_content_after(mut self, wait: Duration) -> Self {
        self.latencies.first = wait;
        self
    }

    /// Sets the time from one event with content to the next: none by default.
    #[must_use]
    pub fn between_events(mut self, wait: Duration) -> Self {
        self.latencies.between = wait;
        self
    }

    /// Sets the header `retry-after`, in seconds, with decimals where they are needed.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        self.header("retry-after", &wait.as_secs_f64().to_string())
    }

    /// Sets a header of the answer.
    ///
    /// # Panics
    ///
    /// When the name or the value is not valid in a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).expect("the name of a header is a token");
        let value = HeaderValue::try_from(value).expect("the value of a header is one line");
        self.headers.insert(name, value);
        self
    }

    /// A failure in OpenAI's shape, as a fault on purpose has it.
    fn failed(fault: FaultReply) -> Self {
        Self::raw(fault.status(None).as_u16(), "application/json", fault.body(None))
    }

    /// Whether no connection is to be made.
    pub(crate) fn is_refused(&self) -> bool {
        self.faults.contains(&Fault::Refused)
    }

    fn new(content: ReplyContent) -> Self {
        Self {
            content,
            faults: Vec::new(),
            latencies: Latencies::default(),
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

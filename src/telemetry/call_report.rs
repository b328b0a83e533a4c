//! What is known of a call when it is over.

use std::{sync::Arc, time::Duration};

use super::AnswerSource;
use crate::{
    attempt_log::{AttemptLog, BodyEnd, Degradation},
    context::Route,
    dialect::{AnswerInfo, Dialect},
    outcome::Outcome,
    route::ProviderName,
};

/// What is known of a call when it is over: the values of its span, for listeners. Nothing of prompts and answers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallReport {
    /// The name of the operation in the OpenTelemetry conventions for generative AI, such as `chat`, `generate_content` or
    /// `embeddings`; `None` for a call that runs no model, such as an upload.
    pub operation: Option<&'static str>,
    /// The dialect of the request; `None` for a request in no known one.
    pub dialect: Option<Dialect>,
    /// The provider that answered; without an answer, that of the first attempt, or the one that the call is addressed to.
    pub provider: ProviderName,
    /// The host that the call is addressed to.
    pub server_address: Option<Arc<str>>,
    /// The port that the call is addressed to.
    pub server_port: Option<u16>,
    /// The model that the caller requested. It is text of the caller: do not use it as a label of a metric without a bound.
    pub request_model: Option<Arc<str>>,
    /// Whether the caller requested a stream.
    pub stream: bool,
    /// The route of the attempt that answered; without an answer, that of the first attempt.
    pub route: Option<Route>,
    /// Where the answer is from.
    pub source: AnswerSource,
    /// The fallback that answered, if there is a fallback layer.
    pub served_by: Option<Arc<str>>,
    /// How the answer is less than what the caller asked for, although it is a success.
    pub degraded: Option<Degradation>,
    /// The number of attempts that were sent.
    pub attempts: u32,
    /// The attempts, one by one.
    pub attempt_log: AttemptLog,
    /// The HTTP status of the answer; `None` without one.
    pub status: Option<u16>,
    /// The outcome of the call, with that of its body: an answer that was cut while it was read is truncated.
    pub outcome: Outcome,
    /// How the body ended; `None` for a call without an answer.
    pub ending: Option<BodyEnd>,
    /// The id, the model, the finish reasons and the tokens of the answer, as far as they are known. Empty for an answer that
    /// cost nothing: a stored answer, a canned reply, the answer to an equal call.
    ///
    /// As the conventions ask for, the finish reasons of an answer that was cut or cancelled end with `error`.
    pub answer: AnswerInfo,
    /// The time from the call to the first chunk of a stream that was handed on, which is the first with content by default; `None`
    /// for other answers.
    pub first_chunk: Option<Duration>,
    /// The time from the call to its end: that of the body, if there is an answer.
    pub took: Duration,
}

// === impl CallReport ===

impl CallReport {
    /// Whether the call failed. A call that the caller cancelled did not, nor did one whose answer the provider's content filter
    /// ended: the finish reason says so.
    pub fn is_failure(&self) -> bool {
        is_failure(self.outcome, self.status)
    }
}

/// Whether an outcome is a failure of the operation.
pub(super) fn is_failure(outcome: Outcome, status: Option<u16>) -> bool {
    match outcome {
        Outcome::Success | Outcome::Cancelled => false,
        Outcome::Blocked => !status.is_some_and(|status| (200..300).contains(&status)),
        _ => true,
    }
}

//! The attempts that a provider has received.

use std::sync::Arc;

use http::HeaderMap;
use tokio::time::Instant;

use super::ReceivedHeaders;
use crate::reply::RequestFacts;

/// One attempt, as the provider received it. It has no prompt and no credential.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ReceivedAttempt {
    /// The time at which the attempt arrived.
    pub at: Instant,
    /// The number of its call in a [`Scenario`](crate::Scenario).
    pub call: Option<u64>,
    /// The path of the request, without its query; empty if its connection was refused.
    pub path: Arc<str>,
    /// The headers of the request, for the first 65 536 attempts that are kept.
    pub headers: ReceivedHeaders,
    /// The requested model.
    pub model: Option<Arc<str>>,
    /// Whether the request asked for a stream.
    pub stream: bool,
    /// Whether the request had tools.
    pub tools: bool,
    /// The number of messages.
    pub messages: usize,
    /// Whether the last message is the assistant's: a prefill of the answer.
    pub prefill: bool,
    /// The limit on the tokens of the answer.
    pub max_tokens: Option<u64>,
    /// Whether the request had a credential of any kind.
    pub credential: bool,
    /// The state of the attempt at the provider.
    pub state: AttemptState,
}

/// The state of an attempt at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttemptState {
    /// The answer is not complete.
    InProgress,
    /// The answer is complete, with its faults.
    Completed,
    /// The client went away before the answer was complete.
    Cancelled,
}

/// The attempts of one provider: the first are kept, all are counted.
#[derive(Debug, Default)]
pub(super) struct AttemptRecords {
    pub(super) kept: Vec<ReceivedAttempt>,
    pub(super) count: u64,
    pub(super) cancelled: u64,
    pub(super) in_flight: usize,
    /// The number of attempts before [`forget`](Self::forget).
    forgotten: u64,
}

// === impl AttemptRecords ===

impl AttemptRecords {
    /// The number of attempts that are kept.
    pub(super) const MAX: usize = 1 << 20;

    /// The number of attempts whose headers are kept.
    const MAX_HEADERS: usize = 1 << 16;

    /// Records an attempt and returns its number.
    pub(super) fn begin(&mut self, path: &str, headers: &HeaderMap, facts: &RequestFacts) -> u64 {
        let number = self.forgotten + self.count;
        self.count += 1;
        self.in_flight += 1;
        if self.kept.len() < Self::MAX {
            let headers = match self.kept.len() < Self::MAX_HEADERS {
                true => ReceivedHeaders::of(headers),
                false => ReceivedHeaders::default(),
            };
            self.kept.push(ReceivedAttempt {
                at: Instant::now(),
                path: self.path(path),
                headers,
                call: facts.call,
                model: facts.model.clone(),
                stream: facts.stream,
                tools: facts.tools,
                messages: facts.messages,
                prefill: facts.prefill.is_some(),
                max_tokens: facts.max_tokens,
                credential: facts.credential,
                state: AttemptState::InProgress,
            });
        }
        number
    }

    /// The path without its query. Attempts in a row at the same path share it.
    fn path(&self, path: &str) -> Arc<str> {
        let path = path.split('?').next().unwrap_or(path);
        match self.kept.last().filter(|last| *last.path == *path) {
            Some(last) => last.path.clone(),
            None => path.into(),
        }
    }

    /// Records the end of the attempt of that number, unless it was forgotten.
    pub(super) fn end(&mut self, number: u64, state: AttemptState) {
        self.in_flight -= 1;
        let Some(index) = number.checked_sub(self.forgotten) else {
            return;
        };
        self.cancelled += u64::from(state == AttemptState::Cancelled);
        if let Some(attempt) = self.kept.get_mut(index as usize) {
            attempt.state = state;
        }
    }

    pub(super) fn forget(&mut self) {
        let forgotten = self.forgotten + self.count;
        *self = Self { forgotten, in_flight: self.in_flight, ..Self::default() };
    }
}

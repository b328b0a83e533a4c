//! The attempts that a provider has received.

use std::sync::Arc;

use tokio::time::Instant;

use crate::reply::RequestFacts;

/// One attempt, as the provider received it. It has no prompt and no credential.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ReceivedAttempt {
    /// The time at which the attempt arrived.
    pub at: Instant,
    /// The number of its call in a [`Scenario`](crate::Scenario).
    pub call: Option<u64>,
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

    /// Records an attempt and returns its number.
    pub(super) fn begin(&mut self, facts: &RequestFacts, at: Instant) -> u64 {
        let number = self.forgotten + self.count;
        self.count += 1;
        self.in_flight += 1;
        if self.kept.len() < Self::MAX {
            self.kept.push(ReceivedAttempt {
                at,
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

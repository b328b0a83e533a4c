//! What a provider has seen.

use std::sync::Arc;

use tokio::time::Instant;

use crate::reply::Facts;

/// One attempt as the provider saw it. It keeps no prompt and no credential.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Attempt {
    /// When it came.
    pub at: Instant,
    /// The number of its call in a [`Scenario`](crate::Scenario).
    pub call: Option<u64>,
    /// The model it asked for.
    pub model: Option<Arc<str>>,
    /// Whether it asked for a stream.
    pub stream: bool,
    /// Whether it brought tools.
    pub tools: bool,
    /// How many messages it brought.
    pub messages: usize,
    /// Whether the last of them is the assistant's: the beginning of the answer.
    pub prefill: bool,
    /// The most tokens it allowed.
    pub max_tokens: Option<u64>,
    /// Whether it brought a credential of any kind.
    pub credential: bool,
    /// What became of it.
    pub fate: Fate,
}

/// What became of an attempt, on the provider's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// The provider has not done with it yet.
    Open,
    /// The provider did with it all it meant to, faults included.
    Done,
    /// The client went away before.
    Cancelled,
}

/// The attempts of one provider: the first ones kept, all of them counted.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) kept: Vec<Attempt>,
    pub(super) count: u64,
    pub(super) cancelled: u64,
    pub(super) in_flight: usize,
    /// The attempts before these, which were forgotten.
    before: u64,
}

// === impl Log ===

impl Log {
    /// How many attempts are kept.
    pub(super) const MAX: usize = 1 << 20;

    /// Notes an attempt, and tells its number.
    pub(super) fn begin(&mut self, facts: &Facts, at: Instant) -> u64 {
        let number = self.before + self.count;
        self.count += 1;
        self.in_flight += 1;
        if self.kept.len() < Self::MAX {
            self.kept.push(Attempt {
                at,
                call: facts.call,
                model: facts.model.clone(),
                stream: facts.stream,
                tools: facts.tools,
                messages: facts.messages,
                prefill: facts.prefill.is_some(),
                max_tokens: facts.max_tokens,
                credential: facts.credential,
                fate: Fate::Open,
            });
        }
        number
    }

    /// Notes what became of the attempt of that number, unless it was forgotten.
    pub(super) fn end(&mut self, number: u64, fate: Fate) {
        self.in_flight -= 1;
        let Some(place) = number.checked_sub(self.before) else {
            return;
        };
        self.cancelled += u64::from(fate == Fate::Cancelled);
        if let Some(attempt) = self.kept.get_mut(place as usize) {
            attempt.fate = fate;
        }
    }

    pub(super) fn forget(&mut self) {
        let before = self.before + self.count;
        *self = Self { before, in_flight: self.in_flight, ..Self::default() };
    }
}

//! Decides when a token is used, fetched and refused. Pure: the time and the randomness are arguments.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    failure::CredentialError, settings::CredentialTimes, user_call::Fetched,
    value::CredentialHeaders,
};
use crate::time::{saturating_add, scale};

/// The token that all attempts share, and the fetch of the next one.
#[derive(Debug, Default)]
pub(super) struct TokenState {
    token: Option<Token>,
    /// The number of tokens so far.
    generation: u64,
    fetching: bool,
    failures: u32,
    /// The last failure, and until when no fetch follows it.
    failure: Option<(CredentialError, Instant)>,
}

/// A token.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) headers: CredentialHeaders,
    pub(super) generation: u64,
    /// Before that no other token is fetched.
    settled: Instant,
    refresh: Option<Instant>,
    end: Option<Instant>,
}

/// What an attempt does next.
#[derive(Debug)]
pub(super) enum Step {
    Use(Token),
    /// Starts a fetch, and uses the token at once.
    UseAndFetch(Token),
    /// Starts a fetch, and waits for it.
    Fetch,
    /// Waits for the fetch under way.
    Wait,
    Refuse(Refusal),
}

/// The rejection is final: no other token is to be had.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Final;

/// No token is to be had.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) error: CredentialError,
    /// The time until the next fetch.
    pub(crate) retry_in: Option<Duration>,
}

/// The wait after the first failure of a source, and after many.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

// === impl TokenState ===

impl TokenState {
    /// Decides for an attempt that needs a token.
    pub(super) fn next(&mut self, now: Instant) -> Step {
        let valid = self.token.as_ref().filter(|token| token.is_valid(now)).cloned();
        match valid {
            Some(token) if token.is_due(now) && !self.fetching && self.blocked(now).is_none() => {
                self.fetching = true;
                Step::UseAndFetch(token)
            }
            Some(token) => Step::Use(token),
            None => self.fetch(now),
        }
    }

    /// Decides for an attempt whose token, of that generation, the provider has rejected.
    pub(super) fn renew(&mut self, rejected: u64, now: Instant) -> Result<Step, Final> {
        let newest = self.token.as_ref().filter(|token| token.is_valid(now));
        match newest {
            Some(token) if token.generation != rejected => return Ok(Step::Use(token.clone())),
            // It was fetched just now: another one would be rejected too.
            Some(token) if !self.fetching && now < token.settled => return Err(Final),
            _ => (),
        }
        match self.fetch(now) {
            Step::Refuse(_) => Err(Final),
            step => Ok(step),
        }
    }

    /// Waits for a fetch: the one under way, or a new one.
    fn fetch(&mut self, now: Instant) -> Step {
        if self.fetching {
            return Step::Wait;
        }
        if let Some(refusal) = self.blocked(now) {
            return Step::Refuse(refusal);
        }
        self.fetching = true;
        Step::Fetch
    }

    fn blocked(&self, now: Instant) -> Option<Refusal> {
        let (error, until) = self.failure.as_ref().filter(|(_, until)| now < *until)?;
        let retry_in = Some(until.saturating_duration_since(now));
        Some(Refusal { error: error.clone(), retry_in })
    }

    /// Records a fetched token.
    pub(super) fn fetched(
        &mut self,
        fetched: Fetched,
        times: &CredentialTimes,
        now: Instant,
        random: f64,
    ) {
        let (headers, lifetime) = fetched;
        self.generation += 1;
        (self.fetching, self.failures, self.failure) = (false, 0, None);
        let interval = times.interval(lifetime);
        let refresh = lifetime.map(|lifetime| {
            // Processes that started together do not refresh together.
            let margin = scale(times.margin(lifetime), 1.0 + random / 2.0);
            saturating_add(now, lifetime.saturating_sub(margin).max(interval))
        });
        // Nothing newer is to be had before: if it ends sooner, the clock of this machine is wrong.
        let end = lifetime.map(|lifetime| saturating_add(now, lifetime.max(interval)));
        let settled = saturating_add(now, interval);
        self.token = Some(Token { headers, generation: self.generation, settled, refresh, end });
    }

    /// Records a failed fetch. Returns the time until the next one.
    pub(super) fn failed(&mut self, error: CredentialError, now: Instant, random: f64) -> Duration {
        let doubled = FIRST_WAIT.saturating_mul(1 << self.failures.min(16)).min(LONGEST_WAIT);
        let wait = scale(doubled, 0.5 + random / 2.0);
        self.failures = self.failures.saturating_add(1);
        (self.fetching, self.failure) = (false, Some((error, saturating_add(now, wait))));
        wait
    }

    /// Records that the fetch ended without a result, since its runtime was shut down.
    pub(super) fn abandoned(&mut self) {
        self.fetching = false;
    }
}

// === impl Token ===

impl Token {
    fn is_valid(&self, now: Instant) -> bool {
        self.end.is_none_or(|end| now < end)
    }

    fn is_due(&self, now: Instant) -> bool {
        self.refresh.is_some_and(|refresh| refresh <= now)
    }
}

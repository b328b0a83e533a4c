//! What happened to a call.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use super::Route;
use crate::{classify::Outcome, sync::lock_std as lock};

/// What happened to a call: its attempts, in order.
///
/// A handle: clones show the same journey, which goes on until the body of the answer has ended. It keeps the first
/// [`MAX`](Self::MAX) attempts and counts the rest.
#[derive(Clone, Default)]
pub struct Journey(Arc<Mutex<Log>>);

#[derive(Debug, Default)]
struct Log {
    attempts: Vec<Attempt>,
    more: u32,
    sent: u32,
    rung: Option<Arc<str>>,
    probe: bool,
    closed: Option<Instant>,
}

/// One attempt of a call, or one refusal of ours.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attempt {
    /// The rung of the ladder, from 0.
    pub rung: u16,
    /// Where it went, or would have gone.
    pub route: Route,
    /// What it came to.
    pub outcome: Outcome,
    /// How long the call waited before it.
    pub wait: Duration,
    /// How long it took, to the commit point.
    pub took: Duration,
}

// === impl Journey ===

impl Journey {
    /// How many attempts it keeps.
    pub const MAX: usize = 64;

    /// The attempts so far: the first [`MAX`](Self::MAX).
    pub fn attempts(&self) -> Vec<Attempt> {
        lock(&self.0).attempts.clone()
    }

    /// How many attempts were sent, kept or not; refusals of ours are not.
    pub fn sent(&self) -> u32 {
        lock(&self.0).sent
    }

    /// The name of the rung that answered; `None` while none has, or where there is no ladder.
    pub fn rung(&self) -> Option<Arc<str>> {
        lock(&self.0).rung.clone()
    }

    pub(crate) fn push(&self, attempt: Attempt) {
        let mut log = lock(&self.0);
        if !matches!(attempt.outcome, Outcome::Refused { .. }) {
            log.sent = log.sent.saturating_add(1);
        }
        if log.attempts.len() < Self::MAX {
            log.attempts.push(attempt);
        } else {
            log.more = log.more.saturating_add(1);
        }
    }

    pub(crate) fn answered_by(&self, rung: Arc<str>) {
        lock(&self.0).rung = Some(rung);
    }

    /// Says that the attempt under way is a breaker's probe, or no longer.
    pub(crate) fn probing(&self, probe: bool) {
        lock(&self.0).probe = probe;
    }

    /// Says until when a breaker refuses the route of the attempt that has just failed; `None` if it does not.
    pub(crate) fn close(&self, until: Option<Instant>) {
        lock(&self.0).closed = until;
    }

    /// Until when a breaker refuses the route of the attempt that has just failed: a retry before it is in vain.
    pub(crate) fn closed(&self) -> Option<Instant> {
        lock(&self.0).closed
    }

    /// Whether the attempt under way is a breaker's probe, so that the ladder can race it.
    pub fn is_probe(&self) -> bool {
        lock(&self.0).probe
    }
}

impl fmt::Debug for Journey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let log = lock(&self.0);
        f.debug_struct("Journey")
            .field("rung", &log.rung)
            .field("attempts", &log.attempts)
            .field("more", &log.more)
            .finish()
    }
}

impl fmt::Display for Journey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let log = lock(&self.0);
        for (n, attempt) in log.attempts.iter().enumerate() {
            let arrow = if n == 0 { "" } else { " → " };
            let Attempt { route, outcome, took, .. } = attempt;
            write!(f, "{arrow}{route} {} in {took:.2?}", outcome.name())?;
        }
        match &log.rung {
            Some(rung) => write!(f, " → answered by {rung}"),
            None => Ok(()),
        }
    }
}

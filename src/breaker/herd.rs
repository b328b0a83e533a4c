//! What the routes of one model at one provider, which differ by their credential, show of it together.
//!
//! A breaker opens by the calls of its own route. Where each call brings another credential no route has enough of them, and
//! an outage would be met by each anew. So the routes that have had no answer lately tell their first failure to what stands
//! over them all; when enough *different* ones have failed and none was answered in between, it opens for all that have had no
//! answer since. A route that is being answered is never refused by it, so the trouble of one credential is no other's.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    breaker::{Breaker, BreakerPolicy, Permit, Refusal, State, policy::Rule, ticket::Caller},
    classify::{Health, Outcome},
};

/// The routes of one model at one provider.
pub(crate) struct Herd {
    breaker: Breaker,
    epoch: Instant,
    /// Some have failed, and none was answered since.
    troubled: AtomicBool,
    /// Since when, as [`Herd::moment`] has it.
    since: AtomicU64,
    /// Goes up with each trouble: a route tells one failure in each.
    trouble: AtomicU64,
}

/// One route among them.
pub(crate) struct Member {
    herd: Arc<Herd>,
    /// When it was answered last, as [`Herd::moment`] has it; 0 if never.
    answered: AtomicU64,
    /// The last trouble that it told its failure in; 0 if none.
    told: AtomicU64,
}

/// So many routes that fail with none answered open, where there is no past.
const ROUTES: u32 = 8;

/// An answer that is older says nothing of now.
const LATELY: Duration = Duration::from_secs(60);

// === impl Herd ===

impl Herd {
    /// What it opens by, made from the policy of the routes.
    pub(super) fn policy(of: &BreakerPolicy) -> BreakerPolicy {
        BreakerPolicy {
            consecutive: Some(Rule::Improbable(ROUTES)),
            ratio: None,
            slow: None,
            unauthorized: None,
            ..of.clone()
        }
    }

    pub(super) fn new(breaker: Breaker, now: Instant) -> Self {
        Self {
            breaker,
            epoch: now,
            troubled: AtomicBool::new(false),
            since: AtomicU64::new(0),
            trouble: AtomicU64::new(1),
        }
    }

    pub(super) fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// Whether it can be forgotten: nothing is wrong.
    pub(super) fn is_at_rest(&self) -> bool {
        !self.troubled.load(Ordering::Relaxed)
    }

    /// Whether it refuses some.
    pub(super) fn is_open(&self, now: Instant) -> bool {
        !self.is_at_rest() && !self.is_closed(now)
    }

    fn is_closed(&self, now: Instant) -> bool {
        self.breaker.snapshot(now).state == State::Closed
    }

    /// Milliseconds since it was made, from 1.
    fn moment(&self, now: Instant) -> u64 {
        let millis = now.saturating_duration_since(self.epoch).as_millis();
        u64::try_from(millis).unwrap_or(u64::MAX - 1) + 1
    }

    fn fail(&self, outcome: Outcome, now: Instant) {
        if !self.troubled.swap(true, Ordering::Relaxed) {
            self.since.store(self.moment(now), Ordering::Relaxed);
        }
        // Only while it is closed: what it opened for is told by its own permits.
        if self.is_closed(now) {
            self.count(outcome, now);
        }
    }

    /// One was answered: the trouble is over, unless it has opened. Then its own probes find that out.
    fn succeed(&self, now: Instant) {
        if !self.is_at_rest() && self.is_closed(now) {
            self.troubled.store(false, Ordering::Relaxed);
            self.trouble.fetch_add(1, Ordering::Relaxed);
            self.count(Outcome::Success, now);
        }
    }

    fn count(&self, outcome: Outcome, now: Instant) {
        if let Ok(permit) = self.breaker.ask(now, fastrand::f64(), Caller::default()) {
            permit.end(outcome, now);
        }
    }
}

// === impl Member ===

impl Member {
    pub(super) fn new(herd: Arc<Herd>) -> Self {
        Self { herd, answered: AtomicU64::new(0), told: AtomicU64::new(0) }
    }

    /// Lets an attempt through, with a permit of the herd's own where that is not closed, or refuses it.
    pub(super) fn admit(
        &self,
        now: Instant,
        random: f64,
        caller: Caller,
    ) -> Result<Option<Box<Permit>>, Refusal> {
        let herd = &*self.herd;
        if herd.is_at_rest() {
            return Ok(None);
        }
        let since = herd.since.load(Ordering::Relaxed);
        if self.answered.load(Ordering::Relaxed) > since {
            return Ok(None);
        }
        if herd.is_closed(now) {
            return Ok(None);
        }
        herd.breaker.ask(now, random, caller).map(|permit| Some(Box::new(permit)))
    }

    /// Until when the herd lets none through; `None` if it does.
    pub(super) fn open_until(&self, now: Instant) -> Option<Instant> {
        let calm = self.herd.is_at_rest();
        if calm { None } else { self.herd.breaker.open_until(now) }
    }

    /// An attempt of the route came to something.
    pub(super) fn report(&self, outcome: Outcome, now: Instant) {
        match seen_by_all(outcome).health() {
            Health::Success => {
                self.answered.store(self.herd.moment(now), Ordering::Relaxed);
                self.herd.succeed(now);
            }
            Health::Failure if !self.was_answered_lately(now) => {
                let trouble = self.herd.trouble.load(Ordering::Relaxed);
                if self.told.swap(trouble, Ordering::Relaxed) != trouble {
                    self.herd.fail(outcome, now);
                }
            }
            _ => {}
        }
    }

    fn was_answered_lately(&self, now: Instant) -> bool {
        let answered = self.answered.load(Ordering::Relaxed);
        let lately = u64::try_from(LATELY.as_millis()).unwrap_or(u64::MAX);
        answered > 0 && self.herd.moment(now).saturating_sub(answered) < lately
    }
}

/// What an outcome of one credential says to all: a limit, a quota or a rejected key is an answer of a provider that is there.
pub(super) fn seen_by_all(outcome: Outcome) -> Outcome {
    match outcome.health() {
        Health::Pushback | Health::Exhausted | Health::Unauthorized => Outcome::Success,
        _ => outcome,
    }
}

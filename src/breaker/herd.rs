//! What the routes of one model at one provider, which differ by their credential, show of it together.
//!
//! A breaker opens by the calls of its own route. Where each call brings another credential no route has enough of them, and
//! an outage would be met by each anew. So the routes that have had no answer lately tell their first failure to what stands
//! over them all; when enough *different* ones have failed and none was answered in between, it opens for all that have had no
//! answer since. A route that is being answered is never refused by it, so the trouble of one credential is no other's.
//!
//! An overflow route, one that the table has no room for, has no state of its own: the herd is all that is known of it.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    Availability,
    breaker::{
        Breaker, BreakerPolicy, Permit, Refusal, State,
        above::{Above, PermitAbove},
        moment::Caller,
        policy::Rule,
    },
    context::Route,
    hash::hash,
    outcome::{BreakerSignal, Outcome},
    sync::lock_std as lock,
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
    /// The overflow routes that told their failure in it, as hashes.
    overflow: Mutex<HashSet<u64>>,
}

/// One route among them.
pub(crate) struct Member {
    herd: Arc<Herd>,
    /// When it was answered last, as [`Herd::moment`] has it; 0 if never.
    answered: AtomicU64,
    /// The last trouble that it told its failure in; 0 if none.
    told: AtomicU64,
    /// The hash of the route, where it is an overflow route.
    overflow: Option<u64>,
}

/// So many routes that fail with none answered open, where there is no past.
const ROUTES: u32 = 8;

/// How many overflow routes are told apart in one trouble. At the limit all are removed, and each may report a failure again.
const OVERFLOW: usize = 64;

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
            overflow: Mutex::default(),
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

    /// What a call may expect of a route that it knows nothing else of.
    pub(super) fn availability(&self, now: Instant) -> Availability {
        if self.is_at_rest() { Availability::Clear } else { self.breaker.availability(now) }
    }

    /// Closes it, and forgets all it counted.
    pub(super) fn reset(&self) {
        self.breaker.reset();
        self.end_trouble();
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
        // Only while it is closed: later its own permits report.
        if self.is_closed(now) {
            self.count(outcome, now);
        }
    }

    /// One was answered: the trouble is over, unless it has opened. Then its own probes find that out.
    fn succeed(&self, now: Instant) {
        if !self.is_at_rest() && self.is_closed(now) {
            self.end_trouble();
            self.count(Outcome::Success, now);
        }
    }

    fn end_trouble(&self) {
        self.troubled.store(false, Ordering::Relaxed);
        self.trouble.fetch_add(1, Ordering::Relaxed);
        lock(&self.overflow).clear();
    }

    /// Whether an overflow route has told nothing in this trouble.
    fn is_first_of(&self, route: u64) -> bool {
        let mut overflow = lock(&self.overflow);
        if overflow.len() >= OVERFLOW {
            overflow.clear();
        }
        overflow.insert(route)
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
        Self { herd, answered: AtomicU64::new(0), told: AtomicU64::new(0), overflow: None }
    }

    pub(super) fn overflow(herd: Arc<Herd>, route: &Route) -> Self {
        Self { overflow: Some(hash(route)), ..Self::new(herd) }
    }

    /// Whether the herd is in trouble, and it was not answered since.
    fn is_in_trouble(&self) -> bool {
        let since = self.herd.since.load(Ordering::Relaxed);
        !self.herd.is_at_rest() && self.answered.load(Ordering::Relaxed) <= since
    }

    /// Whether its failure is the first in this trouble.
    fn is_first(&self) -> bool {
        if let Some(route) = self.overflow {
            return self.herd.is_first_of(route);
        }
        let trouble = self.herd.trouble.load(Ordering::Relaxed);
        self.told.swap(trouble, Ordering::Relaxed) != trouble
    }

    fn was_answered_lately(&self, now: Instant) -> bool {
        let answered = self.answered.load(Ordering::Relaxed);
        let lately = u64::try_from(LATELY.as_millis()).unwrap_or(u64::MAX);
        answered > 0 && self.herd.moment(now).saturating_sub(answered) < lately
    }
}

impl Above for Member {
    fn admit(
        &self,
        now: Instant,
        random: f64,
        caller: Caller,
    ) -> Result<Option<Box<dyn PermitAbove>>, Refusal> {
        let herd = &*self.herd;
        if !self.is_in_trouble() || herd.is_closed(now) {
            return Ok(None);
        }
        herd.breaker.ask(now, random, caller).map(|permit| Some(Box::new(permit) as _))
    }

    fn reset(&self, now: Instant) {
        let since = self.herd.since.load(Ordering::Relaxed);
        self.answered.store(self.herd.moment(now).max(since + 1), Ordering::Relaxed);
    }

    fn availability(&self, now: Instant) -> Availability {
        if self.is_in_trouble() { self.herd.availability(now) } else { Availability::Clear }
    }

    fn open_until(&self, now: Instant) -> Option<Instant> {
        let calm = self.herd.is_at_rest();
        if calm { None } else { self.herd.breaker.open_until(now) }
    }

    fn report(&self, outcome: Outcome, now: Instant) {
        match seen_by_all(outcome).health() {
            BreakerSignal::Success => {
                self.answered.store(self.herd.moment(now), Ordering::Relaxed);
                self.herd.succeed(now);
            }
            BreakerSignal::Failure if !self.was_answered_lately(now) && self.is_first() => {
                self.herd.fail(outcome, now);
            }
            _ => {}
        }
    }
}

// === impl Permit ===

impl PermitAbove for Permit {
    fn begin(&mut self, now: Instant) {
        self.begin(now);
    }

    fn end(self: Box<Self>, outcome: Outcome, now: Instant) {
        Self::end(*self, seen_by_all(outcome), now);
    }
}

/// What an outcome of one credential says to all: a limit, a quota or a rejected key is an answer of a provider that is there.
fn seen_by_all(outcome: Outcome) -> Outcome {
    match outcome.health() {
        BreakerSignal::Pushback | BreakerSignal::Exhausted | BreakerSignal::Unauthorized => {
            Outcome::Success
        }
        _ => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breaker::circuit::Links;

    fn herd() -> Arc<Herd> {
        let now = Instant::now();
        let policy = Herd::policy(&BreakerPolicy::default());
        Arc::new(Herd::new(Breaker::with(policy.into(), now, Links::default()), now))
    }

    #[tokio::test(start_paused = true)]
    async fn an_overflow_route_tells_one_failure_in_each_trouble() {
        let herd = herd();
        let fail = |n: usize| {
            let route = Route::new("p", "m", &n.to_string());
            Member::overflow(herd.clone(), &route).report(Outcome::Unreachable, Instant::now());
        };
        for _ in 0..100 {
            fail(1);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!(!herd.is_open(Instant::now()), "one route says nothing of the others");
        for n in 2..=16 {
            fail(n);
            tokio::time::advance(Duration::from_millis(200)).await;
        }
        assert!(herd.is_open(Instant::now()));
        herd.reset();
        assert!(!herd.is_open(Instant::now()) && herd.is_at_rest());
    }

    #[test]
    fn overflow_routes_are_told_apart_up_to_a_bound() {
        let herd = herd();
        assert!((0..1000).all(|route| herd.is_first_of(route)));
        assert!(lock(&herd.overflow).len() <= OVERFLOW);
        assert!(!herd.is_first_of(999));
        herd.end_trouble();
        assert!(herd.is_first_of(999));
    }
}

//! The link from one route to the coarse breaker of its model and provider.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    Availability,
    breaker::{
        Permit, Refusal,
        coarse_breaker::CoarseBreaker,
        decision_input::CallerInfo,
        parent::{ParentBreaker, ParentPermit},
    },
    context::Route,
    hash::hash,
    outcome::{BreakerSignal, Outcome},
};

/// The link from one route to its coarse breaker.
pub(crate) struct CoarseBreakerLink {
    coarse: Arc<CoarseBreaker>,
    /// When the route was last answered, in the unit of [`CoarseBreaker::moment`]; 0 if never.
    answered: AtomicU64,
    /// The number of the last trouble in which it reported a failure; 0 before the first.
    told: AtomicU64,
    /// The hash of the route, if it is an overflow route.
    overflow: Option<u64>,
}

/// An older answer is no evidence about the present.
const LATELY: Duration = Duration::from_secs(60);

// === impl CoarseBreakerLink ===

impl CoarseBreakerLink {
    pub(super) fn new(coarse: Arc<CoarseBreaker>) -> Self {
        Self { coarse, answered: AtomicU64::new(0), told: AtomicU64::new(0), overflow: None }
    }

    pub(super) fn overflow(coarse: Arc<CoarseBreaker>, route: &Route) -> Self {
        Self { overflow: Some(hash(route)), ..Self::new(coarse) }
    }

    /// Whether the coarse breaker is in trouble and the route was not answered since that began.
    fn is_in_trouble(&self) -> bool {
        let since = self.coarse.since.load(Ordering::Relaxed);
        !self.coarse.is_at_rest() && self.answered.load(Ordering::Relaxed) <= since
    }

    /// Whether this is the first failure of the route in this trouble.
    fn is_first(&self) -> bool {
        if let Some(route) = self.overflow {
            return self.coarse.is_first_of(route);
        }
        let trouble = self.coarse.trouble.load(Ordering::Relaxed);
        self.told.swap(trouble, Ordering::Relaxed) != trouble
    }

    fn was_answered_lately(&self, now: Instant) -> bool {
        let answered = self.answered.load(Ordering::Relaxed);
        let lately = u64::try_from(LATELY.as_millis()).unwrap_or(u64::MAX);
        answered > 0 && self.coarse.moment(now).saturating_sub(answered) < lately
    }
}

impl ParentBreaker for CoarseBreakerLink {
    fn admit(
        &self,
        now: Instant,
        random: f64,
        caller: CallerInfo,
    ) -> Result<Option<Box<dyn ParentPermit>>, Refusal> {
        let coarse = &*self.coarse;
        if !self.is_in_trouble() || coarse.is_closed(now) {
            return Ok(None);
        }
        coarse.breaker().ask(now, random, caller).map(|permit| Some(Box::new(permit) as _))
    }

    fn reset(&self, now: Instant) {
        let since = self.coarse.since.load(Ordering::Relaxed);
        self.answered.store(self.coarse.moment(now).max(since + 1), Ordering::Relaxed);
    }

    fn availability(&self, now: Instant) -> Availability {
        if self.is_in_trouble() { self.coarse.availability(now) } else { Availability::Clear }
    }

    fn open_until(&self, now: Instant) -> Option<Instant> {
        let calm = self.coarse.is_at_rest();
        if calm { None } else { self.coarse.breaker().open_until(now) }
    }

    fn report(&self, outcome: Outcome, now: Instant) {
        match seen_by_all(outcome).breaker_signal() {
            BreakerSignal::Success => {
                self.answered.store(self.coarse.moment(now), Ordering::Relaxed);
                self.coarse.succeed(now);
            }
            BreakerSignal::Failure if !self.was_answered_lately(now) && self.is_first() => {
                self.coarse.fail(outcome, now);
            }
            _ => {}
        }
    }
}

// === impl Permit ===

impl ParentPermit for Permit {
    fn begin(&mut self, now: Instant) {
        self.first_event(now);
    }

    fn end(self: Box<Self>, outcome: Outcome, now: Instant) {
        Self::record(*self, seen_by_all(outcome), now);
    }
}

/// The outcome as all credentials see it: a rate limit, a quota or a rejected key is an answer from a provider that is up.
fn seen_by_all(outcome: Outcome) -> Outcome {
    match outcome.breaker_signal() {
        BreakerSignal::Pushback | BreakerSignal::Exhausted | BreakerSignal::Unauthorized => {
            Outcome::Success
        }
        _ => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        breaker::{BreakerPolicy, CircuitBreaker, circuit::BreakerLinks, coarse_breaker::OVERFLOW},
        route_state::Replaceable,
        sync::lock_std as lock,
    };

    fn coarse() -> Arc<CoarseBreaker> {
        let now = Instant::now();
        let policy = CoarseBreaker::policy(&BreakerPolicy::default());
        Arc::new(CoarseBreaker::new(
            CircuitBreaker::with(&Replaceable::new(policy), now, BreakerLinks::default()),
            now,
        ))
    }

    #[tokio::test(start_paused = true)]
    async fn an_overflow_route_tells_one_failure_in_each_trouble() {
        let coarse = coarse();
        let fail = |n: usize| {
            let route = Route::new("p", "m", &n.to_string());
            CoarseBreakerLink::overflow(coarse.clone(), &route)
                .report(Outcome::Unreachable, Instant::now());
        };
        for _ in 0..100 {
            fail(1);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!(!coarse.is_open(Instant::now()), "one route says nothing of the others");
        for n in 2..=16 {
            fail(n);
            tokio::time::advance(Duration::from_millis(200)).await;
        }
        assert!(coarse.is_open(Instant::now()));
        coarse.reset();
        assert!(!coarse.is_open(Instant::now()) && coarse.is_at_rest());
    }

    #[test]
    fn overflow_routes_are_told_apart_up_to_a_bound() {
        let coarse = coarse();
        assert!((0..1000).all(|route| coarse.is_first_of(route)));
        assert!(lock(&coarse.overflow).len() <= OVERFLOW);
        assert!(!coarse.is_first_of(999));
        coarse.end_trouble();
        assert!(coarse.is_first_of(999));
    }
}

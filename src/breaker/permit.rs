//! A breaker, and the permits it gives out.

use std::{fmt, time::Duration};

use tokio::time::Instant;

use crate::{
    ConfigError,
    breaker::{
        BreakerPolicy, Refusal, Snapshot, State,
        changes::Told,
        herd::{Member, seen_by_all},
        judge::End,
        machine::Machine,
        settle::Unsettled,
        siblings::Sibling,
        ticket::{Caller, Moment, Ticket},
        turn::{Stage, Turn},
    },
    context::FailedAttempt,
    outcome::{BreakerSignal, Outcome},
    sync::{Arc, Mutex, lock},
};

/// One breaker: lets calls through or refuses them, by what came of those before.
///
/// The layer keeps one for each route. By itself it guards calls of any kind: it knows no HTTP and no Tower. Clones are
/// the same breaker.
///
/// ```
/// use evenkeel::{breaker::{Breaker, BreakerPolicy, State}, outcome::Outcome};
/// use tokio::time::Instant;
///
/// let now = Instant::now();
/// let breaker = Breaker::new(BreakerPolicy::default().consecutive(5))?;
/// for _ in 0..5 {
///     let permit = breaker.try_acquire(now, 0.5).expect("it is closed");
///     permit.end(Outcome::Unreachable, now);
/// }
/// assert_eq!(breaker.snapshot(now).state, State::Open);
/// assert_eq!(breaker.try_acquire(now, 0.5).unwrap_err().retry_in().as_secs(), 5);
/// # Ok::<(), evenkeel::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Breaker(Arc<Shared>);

struct Shared {
    policy: std::sync::Arc<BreakerPolicy>,
    machine: Mutex<Machine>,
    links: Links,
}

/// What a breaker of a route is tied to.
#[derive(Default)]
pub(super) struct Links {
    pub(super) told: Option<Told>,
    pub(super) member: Option<Member>,
    pub(super) sibling: Option<Sibling>,
}

/// Leave for one call. Say what came of it with [`end`](Self::end); dropped before, it counts as
/// [`Outcome::Cancelled`].
#[derive(Debug)]
#[must_use = "a permit that is dropped counts as a cancelled call"]
pub struct Permit {
    breaker: Breaker,
    ticket: Ticket,
    turn: Option<Turn>,
    /// What lets it through where the routes of other credentials fail too.
    herd: Option<Box<Permit>>,
    ended: bool,
}

// === impl Breaker ===

impl Breaker {
    /// A breaker that is closed; refuses a policy with wrong values.
    pub fn new(policy: BreakerPolicy) -> Result<Self, ConfigError> {
        policy.check()?;
        Ok(Self::with(policy.into(), Instant::now(), Links::default()))
    }

    /// A breaker of a policy that was checked.
    pub(super) fn with(policy: std::sync::Arc<BreakerPolicy>, now: Instant, links: Links) -> Self {
        let machine = Mutex::new(Machine::new(&policy, now));
        Self(Arc::new(Shared { policy, machine, links }))
    }

    /// Leave for a call that starts at `now`, or a refusal. Never waits.
    ///
    /// `random` is in `[0, 1)` and spreads out what would else happen at one moment in all processes.
    pub fn try_acquire(&self, now: Instant, random: f64) -> Result<Permit, Refusal> {
        self.ask(now, random, Caller::default())
    }

    /// The same for an attempt of which more is known.
    pub(crate) fn ask(
        &self,
        now: Instant,
        random: f64,
        mut caller: Caller,
    ) -> Result<Permit, Refusal> {
        let links = &self.0.links;
        caller.sibling_troubled = links.sibling.as_ref().is_some_and(Sibling::is_another_troubled);
        let ticket =
            self.decide(|machine, policy| machine.admit(Moment { policy, now, random }, caller))?;
        let mut permit =
            Permit { breaker: self.clone(), ticket, turn: None, herd: None, ended: false };
        if let Some(member) = self.member() {
            permit.herd = match member.admit(now, random, caller) {
                Ok(herd) => herd,
                Err(refusal) => {
                    // Nothing is sent, so that it says nothing.
                    permit.end(refusal.outcome(), now);
                    return Err(refusal);
                }
            };
        }
        Ok(permit)
    }

    /// What it is among the breakers of other credentials.
    pub(super) fn member(&self) -> Option<&Member> {
        self.0.links.member.as_ref()
    }

    /// Whether somebody holds it beside the registry: a permit, or a failure that is not settled.
    pub(super) fn is_held(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// Its state at `now`, with what it counts.
    pub fn snapshot(&self, now: Instant) -> Snapshot {
        self.decide(|machine, policy| machine.snapshot(Moment { policy, now, random: 0.5 }))
    }

    /// Until when it lets no call through; `None` if it does at `now`.
    pub(crate) fn open_until(&self, now: Instant) -> Option<Instant> {
        self.decide(|machine, policy| machine.open_until(Moment { policy, now, random: 0.5 }))
    }

    /// Whether it lets a call that it let through go on after a wait, or when it may.
    pub(super) fn still_lets(&self, now: Instant, caller: Caller) -> Result<(), Duration> {
        self.decide(|machine, policy| {
            machine.still_lets(Moment { policy, now, random: 0.5 }, caller)
        })
    }

    /// Refuses all calls until [`reset`](Self::reset).
    pub fn force_open(&self) {
        self.decide(|machine, _| machine.force_open(Instant::now()));
    }

    /// Lets all calls through and counts none until [`reset`](Self::reset).
    pub fn force_closed(&self) {
        self.decide(|machine, _| machine.force_closed(Instant::now()));
    }

    /// Closes it, and forgets all it counted and how often it opened.
    pub fn reset(&self) {
        let now = Instant::now();
        self.decide(|machine, _| machine.reset(now));
        if let Some(member) = self.member() {
            member.reset(now);
        }
    }

    /// Decides what an attempt came to, and tells the other routes of the provider whether this one is in trouble.
    fn decide_with<T>(
        &self,
        (now, random): (Instant, f64),
        failed: bool,
        decide: impl FnOnce(&mut Machine, Moment<'_>) -> T,
    ) -> T {
        let sibling = self.0.links.sibling.as_ref();
        let sibling = sibling.filter(|sibling| failed || sibling.is_troubled());
        let (decision, troubled) = self.decide(|machine, policy| {
            let at = Moment { policy, now, random };
            let decision = decide(machine, at);
            (decision, sibling.is_some() && machine.is_troubled(at))
        });
        sibling.iter().for_each(|sibling| sibling.set(troubled));
        decision
    }

    /// Decides under the lock and tells of changes after it.
    pub(super) fn decide<T>(&self, decide: impl FnOnce(&mut Machine, &BreakerPolicy) -> T) -> T {
        let (decision, steps) = {
            let mut machine = lock(&self.0.machine);
            let decision = decide(&mut machine, &self.0.policy);
            (decision, machine.take_untold())
        };
        let Links { told, sibling, .. } = &self.0.links;
        for step in steps {
            // What has begun anew is not in trouble. That it is, its attempts say when they end.
            let anew = !matches!(step.to, State::Open | State::HalfOpen);
            sibling.iter().filter(|_| anew).for_each(|sibling| sibling.set(false));
            told.iter().for_each(|told| told.tell(step));
        }
        decision
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = lock(&self.0.machine).state();
        write!(f, "Breaker({state})")
    }
}

// === impl Permit ===

impl Permit {
    /// Whether the call is a probe that is not decided yet.
    pub fn is_probe(&self) -> bool {
        self.ticket.is_probe()
    }

    /// Where a queue below tells that the call waits.
    pub(crate) fn turn(&mut self) -> Turn {
        self.turn.get_or_insert_with(|| Turn::of(&self.breaker, self.ticket.caller)).clone()
    }

    /// Does not count the time in the queue. Whether the call left it.
    fn leave_queue(&mut self) -> bool {
        match self.turn.as_ref().map(Turn::at) {
            Some(Stage::Left(at)) => self.ticket.started = self.ticket.started.max(at),
            Some(Stage::Queued) => return false,
            Some(Stage::NotQueued) | None => (),
        }
        true
    }

    /// Takes the answer for one that is not streamed, which may take longer until it is slow.
    pub fn whole(mut self) -> Self {
        self.ticket.whole();
        self
    }

    /// The first event of the answer is there, and the rest follows. Counts how long it took; a probe that was not slow
    /// has succeeded with this.
    pub fn begin(&mut self, now: Instant) {
        self.leave_queue();
        let Self { breaker, ticket, .. } = self;
        breaker.decide_with((now, ticket.random), false, |machine, at| machine.begin(at, ticket));
        if let Some(member) = self.breaker.member() {
            member.report(Outcome::Success, now);
        }
        if let Some(herd) = &mut self.herd {
            herd.begin(now);
        }
    }

    /// Its stream trickled: the call was slow, although its first event was not.
    pub fn trickled(&mut self) {
        self.ticket.trickled = true;
    }

    /// What came of the call. After [`begin`](Self::begin) a cancelled one was well so far and counts as a success.
    pub fn end(mut self, outcome: Outcome, now: Instant) {
        self.settle(outcome, now, false);
    }

    /// What came of an attempt that a retry may follow: whether its call has failed is told later.
    pub(crate) fn fail(mut self, outcome: Outcome, now: Instant) -> FailedAttempt {
        let unsettled = self.settle(outcome, now, true);
        let herd = self.breaker.member().and_then(|member| member.open_until(now));
        let until = self.breaker.open_until(now).max(herd);
        if !unsettled {
            return FailedAttempt::settled(until);
        }
        let (breaker, generation) = (self.breaker.clone(), self.ticket.generation);
        FailedAttempt::new(until, Unsettled { breaker, generation, wait: outcome.wait() })
    }

    /// Tells whether the call's failure is still to be counted.
    fn settle(&mut self, outcome: Outcome, now: Instant, deferred: bool) -> bool {
        self.ended = true;
        // It was never sent, or its connection alone failed, so it says nothing of the route.
        let unsent = Outcome::NotSent { retry_in: None };
        let lost = self.turn.as_ref().is_some_and(|turn| turn.connection().is_at_fault());
        let outcome = if self.leave_queue() && !lost { outcome } else { unsent };
        let Self { breaker, ticket, .. } = self;
        let end = End { outcome, deferred };
        let failed = outcome.health() == BreakerSignal::Failure;
        let at = (now, ticket.random);
        let unsettled = breaker.decide_with(at, failed, |machine, at| machine.end(at, ticket, end));
        if let Some(member) = self.breaker.member() {
            member.report(outcome, now);
        }
        if let Some(herd) = self.herd.take() {
            herd.end(seen_by_all(outcome), now);
        }
        unsettled
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.ended {
            let now = Instant::now();
            self.settle(self.ticket.given_up(now), now, false);
        }
    }
}

//! A breaker, and the permits it gives out.

use std::fmt;

use tokio::time::Instant;

use crate::{
    ConfigError,
    breaker::{
        BreakerPolicy, Refusal, Snapshot,
        machine::Machine,
        registry::Told,
        ticket::{Moment, Ticket},
        turn::{Stage, Turn},
    },
    classify::Outcome,
    sync::{Arc, Mutex, lock},
};

/// One breaker: lets calls through or refuses them, by what came of those before.
///
/// The layer keeps one for each route. By itself it guards calls of any kind: it knows no HTTP and no Tower. Clones are
/// the same breaker.
///
/// ```
/// use evenkeel::{breaker::{Breaker, BreakerPolicy, State}, classify::Outcome};
/// use tokio::time::Instant;
///
/// let now = Instant::now();
/// let breaker = Breaker::new(BreakerPolicy::default())?;
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
    told: Option<Told>,
}

/// Leave for one call. Say what came of it with [`end`](Self::end); dropped before, it counts as
/// [`Outcome::Cancelled`].
#[derive(Debug)]
#[must_use = "a permit that is dropped counts as a cancelled call"]
pub struct Permit {
    breaker: Breaker,
    ticket: Ticket,
    turn: Option<Turn>,
    ended: bool,
}

// === impl Breaker ===

impl Breaker {
    /// A breaker that is closed; refuses a policy with wrong values.
    pub fn new(policy: BreakerPolicy) -> Result<Self, ConfigError> {
        policy.check()?;
        Ok(Self::with(policy.into(), Instant::now(), None))
    }

    /// A breaker of a policy that was checked.
    pub(crate) fn with(
        policy: std::sync::Arc<BreakerPolicy>,
        now: Instant,
        told: Option<Told>,
    ) -> Self {
        let machine = Mutex::new(Machine::new(&policy, now));
        Self(Arc::new(Shared { policy, machine, told }))
    }

    /// Leave for a call that starts at `now`, or a refusal. Never waits.
    ///
    /// `random` is in `[0, 1)` and spreads out what would else happen at one moment in all processes.
    pub fn try_acquire(&self, now: Instant, random: f64) -> Result<Permit, Refusal> {
        let ticket =
            self.decide(|machine, policy| machine.admit(Moment { policy, now, random }))?;
        Ok(Permit { breaker: self.clone(), ticket, turn: None, ended: false })
    }

    /// Its state at `now`, with what it counts.
    pub fn snapshot(&self, now: Instant) -> Snapshot {
        self.decide(|machine, policy| machine.snapshot(Moment { policy, now, random: 0.5 }))
    }

    /// Until when it lets no call through; `None` if it does at `now`.
    pub(crate) fn open_until(&self, now: Instant) -> Option<Instant> {
        self.decide(|machine, policy| machine.open_until(Moment { policy, now, random: 0.5 }))
    }

    /// Refuses all calls until [`reset`](Self::reset).
    pub fn force_open(&self) {
        self.decide(|machine, _| machine.force_open());
    }

    /// Lets all calls through and counts none until [`reset`](Self::reset).
    pub fn force_closed(&self) {
        self.decide(|machine, _| machine.force_closed());
    }

    /// Closes it, and forgets all it counted and how often it opened.
    pub fn reset(&self) {
        self.decide(|machine, _| machine.reset());
    }

    /// Decides under the lock and tells of changes after it.
    pub(super) fn decide<T>(&self, decide: impl FnOnce(&mut Machine, &BreakerPolicy) -> T) -> T {
        let (decision, steps) = {
            let mut machine = lock(&self.0.machine);
            let decision = decide(&mut machine, &self.0.policy);
            (decision, machine.take_untold())
        };
        if let Some(told) = &self.0.told {
            steps.into_iter().for_each(|step| told.tell(step));
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

    /// The breaker that gave it out.
    pub(crate) fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// Where a queue below tells that the call waits.
    pub(crate) fn turn(&mut self) -> Turn {
        self.turn.get_or_insert_with(|| Turn::of(&self.breaker)).clone()
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
        self.ticket.whole = true;
        self
    }

    /// The first event of the answer is there, and the rest follows. Counts how long it took; a probe that was not slow
    /// has succeeded with this.
    pub fn begin(&mut self, now: Instant) {
        self.leave_queue();
        let Self { breaker, ticket, .. } = self;
        let random = ticket.random;
        breaker.decide(|machine, policy| machine.begin(Moment { policy, now, random }, ticket));
    }

    /// Its stream trickled: the call was slow, although its first event was not.
    pub fn trickled(&mut self) {
        self.ticket.trickled = true;
    }

    /// What came of the call. After [`begin`](Self::begin) a cancelled one was well so far and counts as a success.
    pub fn end(mut self, outcome: Outcome, now: Instant) {
        self.settle(outcome, now);
    }

    fn settle(&mut self, outcome: Outcome, now: Instant) {
        self.ended = true;
        // It was never sent, or its connection alone failed, so it says nothing of the route.
        let unsent = Outcome::Refused { retry_in: None };
        let lost = self.turn.as_ref().is_some_and(|turn| turn.connection().is_at_fault());
        let outcome = if self.leave_queue() && !lost { outcome } else { unsent };
        let Self { breaker, ticket, .. } = self;
        let random = ticket.random;
        breaker.decide(|machine, policy| {
            machine.end(Moment { policy, now, random }, ticket, outcome);
        });
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.ended {
            self.settle(Outcome::Cancelled, Instant::now());
        }
    }
}

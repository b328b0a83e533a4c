//! The circuit breaker.

use std::{fmt, time::Duration};

use tokio::time::Instant;

use crate::{
    ConfigError,
    breaker::{
        BreakerPolicy, BreakerSnapshot, CircuitState,
        changes::ChangeNotifier,
        decision_input::{CallerInfo, DecisionInput},
        machine::Machine,
        parent::ParentBreaker,
        provider_routes::ProviderRoute,
    },
    route_state::{InUse, Replaceable},
    sync::{Arc, Mutex, lock},
};

/// A circuit breaker: lets calls through or refuses them, depending on the outcomes of earlier calls.
///
/// The layer keeps one breaker for each route. A breaker on its own guards calls of any kind and does not depend on HTTP or
/// Tower. Clones share their state.
///
/// ```
/// use evenkeel::{breaker::{BreakerPolicy, CircuitBreaker, CircuitState}, outcome::Outcome};
/// use tokio::time::Instant;
///
/// let now = Instant::now();
/// let breaker = CircuitBreaker::new(BreakerPolicy::default().consecutive_failures(5))?;
/// for _ in 0..5 {
///     let permit = breaker.try_acquire(now, 0.5).expect("it is closed");
///     permit.record(Outcome::Unreachable, now);
/// }
/// assert_eq!(breaker.snapshot(now).state, CircuitState::Open);
/// assert_eq!(breaker.try_acquire(now, 0.5).unwrap_err().retry_in().as_secs(), 5);
/// # Ok::<(), evenkeel::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct CircuitBreaker(Arc<Inner>);

struct Inner {
    guarded: Mutex<Guarded>,
    links: BreakerLinks,
}

/// What the lock of a breaker guards.
struct Guarded {
    machine: Machine,
    policy: InUse<BreakerPolicy>,
}

/// The links of a route's breaker to its listener, its coarse breaker and the other routes of its provider.
#[derive(Default)]
pub(super) struct BreakerLinks {
    pub(super) told: Option<ChangeNotifier>,
    pub(super) above: Option<Box<dyn ParentBreaker>>,
    pub(super) sibling: Option<ProviderRoute>,
}

// === impl CircuitBreaker ===

impl CircuitBreaker {
    /// Creates a closed breaker, or rejects a policy with invalid values.
    pub fn new(policy: BreakerPolicy) -> Result<Self, ConfigError> {
        policy.check()?;
        Ok(Self::with(&Replaceable::new(policy), Instant::now(), BreakerLinks::default()))
    }

    /// Creates a breaker from a policy that was checked.
    pub(super) fn with(
        policy: &Replaceable<BreakerPolicy>,
        now: Instant,
        links: BreakerLinks,
    ) -> Self {
        let policy = policy.in_use();
        let machine = Machine::new(policy.current(), now);
        Self(Arc::new(Inner { guarded: Mutex::new(Guarded { machine, policy }), links }))
    }

    /// The breaker above this one, shared by all credentials.
    pub(super) fn above(&self) -> Option<&dyn ParentBreaker> {
        self.0.links.above.as_deref()
    }

    pub(super) fn sibling(&self) -> Option<&ProviderRoute> {
        self.0.links.sibling.as_ref()
    }

    /// Whether anything besides the registry holds the breaker: a permit, or a failure that is not settled.
    pub(super) fn is_held(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// The state and the counts at `now`.
    pub fn snapshot(&self, now: Instant) -> BreakerSnapshot {
        self.decide(|machine, policy| machine.snapshot(DecisionInput { policy, now, random: 0.5 }))
    }

    /// Until when the breaker lets no call through; `None` if it lets calls through at `now`.
    pub(crate) fn open_until(&self, now: Instant) -> Option<Instant> {
        self.decide(|machine, policy| {
            machine.open_until(DecisionInput { policy, now, random: 0.5 })
        })
    }

    /// Whether an admitted call may continue after a wait; else the time until it may.
    pub(super) fn still_lets(&self, now: Instant, caller: CallerInfo) -> Result<(), Duration> {
        self.decide(|machine, policy| {
            machine.still_lets(DecisionInput { policy, now, random: 0.5 }, caller)
        })
    }

    /// Refuses all calls until [`reset`](Self::reset).
    pub fn force_open(&self) {
        self.decide(|machine, _| machine.force_open(Instant::now()));
    }

    /// Lets all calls through and counts none of them until [`reset`](Self::reset).
    pub fn force_closed(&self) {
        self.decide(|machine, _| machine.force_closed(Instant::now()));
    }

    /// Closes the breaker and clears its counts, including how often it opened.
    pub fn reset(&self) {
        let now = Instant::now();
        self.decide(|machine, _| machine.reset(now));
        if let Some(above) = self.above() {
            above.reset(now);
        }
    }

    /// Records the outcome of an attempt, and reports to the other routes of the provider whether this route is in trouble.
    pub(super) fn decide_with<T>(
        &self,
        now: Instant,
        random: f64,
        failed: bool,
        decide: impl FnOnce(&mut Machine, DecisionInput<'_>) -> T,
    ) -> T {
        let sibling = self.sibling().filter(|sibling| failed || sibling.is_troubled());
        let (decision, troubled) = self.decide(|machine, policy| {
            let at = DecisionInput { policy, now, random };
            let decision = decide(machine, at);
            (decision, sibling.is_some() && machine.is_troubled(at))
        });
        sibling.iter().for_each(|sibling| sibling.set(troubled));
        decision
    }

    /// Runs `decide` under the lock and emits the changes after releasing it.
    pub(super) fn decide<T>(&self, decide: impl FnOnce(&mut Machine, &BreakerPolicy) -> T) -> T {
        let (decision, steps) = {
            let mut guarded = lock(&self.0.guarded);
            let Guarded { machine, policy } = &mut *guarded;
            if policy.refresh().is_some() {
                machine.adopt(policy.current(), Instant::now());
            }
            let decision = decide(machine, policy.current());
            (decision, machine.drain_events())
        };
        let BreakerLinks { told, sibling, .. } = &self.0.links;
        for step in steps {
            // A breaker that just entered closed or recovering is not in trouble; later attempts report it when they end.
            let anew = !matches!(step.to, CircuitState::Open | CircuitState::HalfOpen);
            sibling.iter().filter(|_| anew).for_each(|sibling| sibling.set(false));
            told.iter().for_each(|told| told.tell(step));
        }
        decision
    }
}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = lock(&self.0.guarded).machine.state();
        write!(f, "Breaker({state})")
    }
}

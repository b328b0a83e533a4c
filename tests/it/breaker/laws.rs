//! Properties of the breaker under any sequence of events.

use proptest::{collection::vec, prelude::*};

use super::*;

#[derive(Clone, Copy, Debug)]
enum Op {
    Wait(u64),
    Acquire,
    Begin(prop::sample::Index),
    End(prop::sample::Index, Outcome),
    Drop(prop::sample::Index),
    ForceOpen,
    ForceClosed,
    Reset,
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let wait = prop::option::of((0_u64..200_000).prop_map(ms));
    prop_oneof![
        4 => Just(Outcome::Success),
        4 => Just(FAILED),
        1 => wait.clone().prop_map(|wait| Outcome::Unavailable { wait }),
        1 => wait.clone().prop_map(|wait| Outcome::RateLimited { wait }),
        1 => wait.prop_map(|wait| Outcome::QuotaExhausted { wait }),
        1 => Just(IGNORED),
        1 => Just(Outcome::Cancelled),
        1 => Just(Outcome::Truncated),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0_u64..12_000).prop_map(Op::Wait),
        1 => (0_u64..400_000).prop_map(Op::Wait),
        12 => Just(Op::Acquire),
        4 => any::<prop::sample::Index>().prop_map(Op::Begin),
        12 => (any::<prop::sample::Index>(), outcome()).prop_map(|(i, o)| Op::End(i, o)),
        2 => any::<prop::sample::Index>().prop_map(Op::Drop),
        1 => Just(Op::ForceOpen),
        1 => Just(Op::ForceClosed),
        3 => Just(Op::Reset),
    ]
}

/// A held permit, and the time at which its probe counts as hung.
struct Held {
    permit: Permit,
    hangs: u64,
}

struct World {
    rig: Rig,
    now: u64,
    most: usize,
    held: Vec<Held>,
    /// The number of consecutive probes that were dropped.
    dropped: u32,
}

impl Held {
    /// Whether it is a probe that the breaker waits for.
    fn is_alive(&self, now: u64) -> bool {
        self.permit.is_probe() && self.hangs > now
    }
}

impl World {
    fn new(probes: u32) -> Self {
        let policy =
            BreakerPolicy::default().max_probes(probes).consecutive_failures(3).min_calls(4);
        Self { rig: Rig::new(policy), now: 0, most: probes as usize, held: Vec::new(), dropped: 0 }
    }

    fn acquire(&mut self, random: f64) -> Result<(), TestCaseError> {
        let state = self.rig.state(self.now);
        match self.rig.breaker.try_acquire(self.rig.at(self.now), random) {
            Ok(permit) => {
                prop_assert!(!matches!(state, CircuitState::Open | CircuitState::ForcedOpen));
                prop_assert_eq!(permit.is_probe(), state == CircuitState::HalfOpen);
                self.held.push(Held { permit, hangs: self.now + 20_000 });
            }
            Err(refusal) => {
                prop_assert!(!matches!(state, CircuitState::Closed | CircuitState::ForcedClosed));
                prop_assert_eq!(refusal.state(), state);
                prop_assert!(refusal.retry_in() > Duration::ZERO);
            }
        }
        Ok(())
    }

    fn take(&mut self, index: prop::sample::Index) -> Option<Held> {
        let any = !self.held.is_empty();
        any.then(|| self.held.swap_remove(index.index(self.held.len())))
    }

    fn apply(&mut self, op: Op, random: f64) -> Result<(), TestCaseError> {
        let now = self.rig.at(self.now);
        match op {
            Op::Wait(millis) => self.now += millis,
            Op::Acquire => self.acquire(random)?,
            Op::Begin(index) if !self.held.is_empty() => {
                let index = index.index(self.held.len());
                if self.held[index].is_alive(self.now) {
                    self.dropped = 0;
                }
                self.held[index].permit.first_event(now);
            }
            Op::Begin(_) => {}
            Op::End(index, outcome) => {
                if let Some(held) = self.take(index) {
                    if held.is_alive(self.now) {
                        self.end_probe(outcome);
                    }
                    held.permit.record(outcome, now);
                }
            }
            Op::Drop(index) => {
                let held = self.take(index);
                if held.is_some_and(|held| held.is_alive(self.now)) {
                    self.end_probe(Outcome::Cancelled);
                }
            }
            Op::ForceOpen => self.rig.breaker.force_open(),
            Op::ForceClosed => self.rig.breaker.force_closed(),
            Op::Reset => self.rig.breaker.reset(),
        }
        Ok(())
    }

    /// A dropped probe frees its place; the third in a row opens the breaker. The permit is dropped on the machine's own clock,
    /// which is behind: the breaker opens, and is due again before it is observed.
    fn end_probe(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Cancelled => self.dropped += 1,
            Outcome::Success => self.dropped = 0,
            _ => {}
        }
        if self.dropped == 3 {
            self.dropped = 0;
            self.held.iter_mut().for_each(|held| held.hangs = 0);
        }
    }

    /// At no time are there more probes in progress than the policy allows, and the snapshot is consistent.
    fn check(&mut self) -> Result<(), TestCaseError> {
        let shown = self.rig.shown(self.now);
        if shown.state != CircuitState::HalfOpen {
            // Their outcomes no longer count.
            self.held.iter_mut().for_each(|held| held.hangs = 0);
            self.dropped = 0;
        }
        let probes = self.held.iter().filter(|held| held.is_alive(self.now)).count();
        prop_assert!(probes <= self.most, "{} probes under way", probes);
        prop_assert_eq!(shown.probes as usize, probes);
        prop_assert!((0.0..=1.0).contains(&shown.share));
        prop_assert!(shown.failure_ratio.is_none_or(|ratio| (0.0..=1.0).contains(&ratio)));
        prop_assert!(shown.slow_ratio.is_none_or(|ratio| (0.0..=1.0).contains(&ratio)));
        prop_assert_eq!(shown.probe_in.is_some(), shown.state == CircuitState::Open);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_more_probes_than_allowed_and_no_panic_whatever_happens(
        probes in 1_u32..=3,
        ops in vec((op(), 0.0..1.0), 1..150),
    ) {
        let mut world = World::new(probes);
        for (op, random) in ops {
            world.apply(op, random)?;
            world.check()?;
        }
    }

    /// Whatever happened before: once the provider is healthy and calls arrive, all of them are let through again.
    #[test]
    fn a_healthy_provider_is_always_used_again(ops in vec((op(), 0.0..1.0), 1..150)) {
        let mut world = World::new(1);
        for (op, random) in ops {
            world.apply(op, random)?;
        }
        world.held.clear();
        if matches!(world.rig.state(world.now), CircuitState::ForcedOpen | CircuitState::ForcedClosed) {
            world.rig.breaker.reset();
        }
        // At most an hour for an exhausted quota, and its jitter.
        for call in 0..880 {
            let at = world.now + call * 5000;
            if let Ok(permit) = world.rig.acquire(at) {
                permit.record(Outcome::Success, world.rig.at(at));
            }
        }
        prop_assert_eq!(world.rig.state(world.now + 4_400_000), CircuitState::Closed);
    }
}

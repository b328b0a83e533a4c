//! A provider with a number of places and a client that always has more to send, on a simulated clock.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

use super::super::{AdaptiveLimit, AdaptivePolicy, AnswerForm, RoundMember};

/// How the provider treats a call for which it has no place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Provider {
    /// Answers with a 429 after 50 ms.
    Refuses,
    /// Lets the call wait for its turn.
    Queues,
}

/// A case. Times in ms: a served call has its first event after `first` and its end after `whole`, each varied randomly between
/// two thirds and four thirds. There are `places`, then half of them, then all again, a `phase` each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) provider: Provider,
    pub(super) first: u64,
    pub(super) whole: u64,
    pub(super) places: u32,
    pub(super) mixed: Mixed,
    pub(super) phase: u64,
    /// The time from the start of a phase until it is measured.
    pub(super) settle: u64,
    pub(super) seed: u64,
}

/// A random share of the calls takes `times` as long and is answered in that form. All others are streams.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mixed {
    pub(super) share: f64,
    pub(super) times: u64,
    pub(super) form: AnswerForm,
}

/// The figures measured in a case.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    /// The share of the places that served a call, for each phase once it had settled.
    pub(super) goodput: [f64; 3],
    /// The mean time to the first event in ms, for each phase once it had settled.
    pub(super) latency: [f64; 3],
    /// The share of all calls that were refused.
    pub(super) refused: f64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Refused,
    First,
    End,
    Phase,
}

#[derive(Clone, Copy)]
struct Sent {
    at: u64,
    member: RoundMember,
    /// The call takes this many times as long as others.
    times: u64,
    form: AnswerForm,
}

struct Sim {
    case: Case,
    limit: AdaptiveLimit,
    origin: Instant,
    now: u64,
    random: u64,
    events: BinaryHeap<Reverse<(u64, usize, What)>>,
    calls: Vec<Sent>,
    queue: VecDeque<usize>,
    serving: u32,
    refused: u32,
    /// Per phase: place-milliseconds that served a call, and those available; the sum of the times to first events in ms, and
    /// their number.
    served: [(f64, f64); 3],
    waited: [(f64, f64); 3],
}

// === impl Case ===

impl Case {
    pub(super) fn play(self, policy: AdaptivePolicy) -> Figures {
        let mut sim = Sim {
            case: self,
            limit: AdaptiveLimit::new(policy),
            origin: Instant::now(),
            now: 0,
            random: self.seed,
            events: (0..3).map(|no| Reverse((no * self.phase, 0, What::Phase))).collect(),
            calls: Vec::new(),
            queue: VecDeque::new(),
            serving: 0,
            refused: 0,
            served: Default::default(),
            waited: Default::default(),
        };
        while let Some(Reverse((at, call, what))) = sim.events.pop() {
            if at >= 3 * self.phase {
                break;
            }
            sim.advance(at);
            sim.happen(call, what);
            sim.fill();
        }
        let share = |(part, whole): (f64, f64)| part / whole;
        Figures {
            goodput: sim.served.map(share),
            latency: sim.waited.map(share),
            refused: f64::from(sim.refused) / sim.calls.len() as f64,
        }
    }
}

// === impl Sim ===

impl Sim {
    fn phase(&self) -> usize {
        (self.now / self.case.phase) as usize
    }

    fn settled(&self) -> bool {
        self.now % self.case.phase >= self.case.settle
    }

    fn capacity(&self) -> u32 {
        if self.phase() == 1 { self.case.places / 2 } else { self.case.places }
    }

    fn advance(&mut self, at: u64) {
        if self.settled() {
            let (capacity, time) = (f64::from(self.capacity()), (at - self.now) as f64);
            let phase = self.phase();
            let (served, there) = &mut self.served[phase];
            *served += f64::from(self.serving).min(capacity) * time;
            *there += capacity * time;
        }
        self.now = at;
    }

    fn happen(&mut self, call: usize, what: What) {
        match what {
            What::Phase => {}
            What::Refused => {
                self.refused += 1;
                self.limit.on_overload(self.calls[call].member);
                self.limit.on_end();
            }
            What::First => {
                let Sent { at, member, form, .. } = self.calls[call];
                self.limit.on_first_event(
                    member,
                    self.origin + Duration::from_millis(self.now),
                    form,
                );
                if self.settled() {
                    let phase = self.phase();
                    let (sum, count) = &mut self.waited[phase];
                    *sum += (self.now - at) as f64;
                    *count += 1.0;
                }
            }
            What::End => {
                self.serving -= 1;
                self.limit.on_end();
            }
        }
    }

    /// Starts the waiting calls, and sends what the limit allows.
    fn fill(&mut self) {
        while self.serving < self.capacity() {
            let Some(next) = self.queue.pop_front() else { break };
            self.serve(next);
        }
        while self.limit.in_flight() < self.limit.limit() {
            let call = self.calls.len();
            let Mixed { share, times, form } = self.case.mixed;
            let slow = share > 0.0 && self.chance() < share;
            let (times, form) = if slow { (times, form) } else { (1, AnswerForm::Stream) };
            let member = self.limit.on_sent(self.origin + Duration::from_millis(self.now));
            self.calls.push(Sent { at: self.now, member, times, form });
            match self.case.provider {
                _ if self.serving < self.capacity() => self.serve(call),
                Provider::Refuses => {
                    self.events.push(Reverse((self.now + 50, call, What::Refused)))
                }
                Provider::Queues => self.queue.push_back(call),
            }
        }
    }

    fn serve(&mut self, call: usize) {
        self.serving += 1;
        let (chance, times) = (self.chance(), self.calls[call].times);
        let spread = |millis: u64| ((millis * times) as f64 * (2.0 + 2.0 * chance) / 3.0) as u64;
        self.events.push(Reverse((self.now + spread(self.case.first), call, What::First)));
        self.events.push(Reverse((self.now + spread(self.case.whole), call, What::End)));
    }

    fn chance(&mut self) -> f64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 40) as f64 / f64::from(1 << 24)
    }
}

// === impl Mixed ===

impl Mixed {
    pub(super) const NONE: Self = Self { share: 0.0, times: 1, form: AnswerForm::Stream };
}

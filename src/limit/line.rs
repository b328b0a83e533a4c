//! Who is next: the calls that wait, by priority and then by arrival.

use std::{collections::BTreeMap, task::Waker};

use tokio::time::Instant;

use super::tokens::{Cost, Kind};
use crate::context::Priority;

/// The calls that wait on a route.
#[derive(Debug)]
pub(super) struct Line {
    interactive: Class,
    batch: Class,
    /// Every how-manieth turn is that of a batch call.
    every: u32,
    /// Turns of interactive calls since the last of a batch call, while one waited.
    passed: u32,
}

#[derive(Debug, Default)]
struct Class {
    waiting: BTreeMap<u64, Waiting>,
    cost: [f64; 4],
}

/// A call that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) cost: Cost,
    /// When it is too late for it.
    pub(super) leaves: Option<Instant>,
    pub(super) waker: Option<Waker>,
}

/// A place in the line: the lower number came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) priority: Priority,
    pub(super) number: u64,
}

/// How many calls go before one, and what they cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Ahead {
    pub(super) calls: f64,
    pub(super) cost: [f64; 4],
}

// === impl Line ===

impl Line {
    pub(super) fn new(every: u32) -> Self {
        Self { interactive: Class::default(), batch: Class::default(), every, passed: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.interactive.waiting.len() + self.batch.waiting.len()
    }

    /// How many of that priority wait.
    pub(super) fn of(&self, priority: Priority) -> usize {
        self.class(priority).waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn push(&mut self, place: Place, waiting: Waiting) {
        self.class_mut(place.priority).push(place.number, waiting);
    }

    /// Who goes next, and who may pass it. A batch call has its share of the turns, and goes first where it has saved enough
    /// to pay, so that it is never starved; where it cannot go yet, an interactive call passes it.
    pub(super) fn order(&self, saved: bool) -> [Option<Place>; 2] {
        let interactive = self.first(Priority::Interactive);
        let batch = self.first(Priority::Batch);
        let turn = saved || self.passed + 1 >= self.every;
        match (interactive, batch) {
            (Some(interactive), Some(batch)) if turn => [Some(batch), Some(interactive)],
            _ => [interactive.or(batch), None],
        }
    }

    /// The one of a priority that came first.
    pub(super) fn first(&self, priority: Priority) -> Option<Place> {
        let first = self.class(priority).waiting.keys().next();
        first.map(|number| Place { priority, number: *number })
    }

    /// What a call that waits is to cost.
    pub(super) fn cost(&self, place: Place) -> Option<Cost> {
        self.class(place.priority).waiting.get(&place.number).map(|waiting| waiting.cost)
    }

    /// The share of batch calls while interactive ones wait as well.
    pub(super) fn batch_share(&self) -> f64 {
        1.0 / f64::from(self.every)
    }

    pub(super) fn get_mut(&mut self, place: Place) -> Option<&mut Waiting> {
        self.class_mut(place.priority).waiting.get_mut(&place.number)
    }

    /// The next one had its turn.
    pub(super) fn take(&mut self, place: Place) -> Option<Waiting> {
        self.passed = match place.priority {
            Priority::Interactive if !self.batch.waiting.is_empty() => self.passed + 1,
            _ => 0,
        };
        self.remove(place)
    }

    /// One has left.
    pub(super) fn remove(&mut self, place: Place) -> Option<Waiting> {
        self.class_mut(place.priority).remove(place.number)
    }

    /// Those for whom it will be too late then leave.
    pub(super) fn sweep(&mut self, then: Instant) -> Vec<(Place, Waiting)> {
        let mut left = Vec::new();
        for priority in [Priority::Interactive, Priority::Batch] {
            let class = self.class_mut(priority);
            let late = class.waiting.iter().filter(|(_, it)| it.leaves.is_some_and(|at| at < then));
            let late: Vec<u64> = late.map(|(number, _)| *number).collect();
            left.extend(
                late.into_iter()
                    .filter_map(|number| Some((Place { priority, number }, class.remove(number)?))),
            );
        }
        left
    }

    /// What goes before a call that comes now.
    pub(super) fn ahead(&self, priority: Priority) -> Ahead {
        let (interactive, batch) = (self.interactive.all(), self.batch.all());
        let others = f64::from(self.every - 1);
        match priority {
            // One turn in `every` is that of a batch call.
            Priority::Interactive => interactive.and_share(batch, others),
            _ => batch.and(interactive, (batch.calls + 1.0) * others),
        }
    }

    fn class(&self, priority: Priority) -> &Class {
        match priority {
            Priority::Interactive => &self.interactive,
            Priority::Batch => &self.batch,
        }
    }

    fn class_mut(&mut self, priority: Priority) -> &mut Class {
        match priority {
            Priority::Interactive => &mut self.interactive,
            Priority::Batch => &mut self.batch,
        }
    }
}

// === impl Class ===

impl Class {
    fn push(&mut self, number: u64, waiting: Waiting) {
        self.count(waiting.cost, 1.0);
        self.waiting.insert(number, waiting);
    }

    fn remove(&mut self, number: u64) -> Option<Waiting> {
        let waiting = self.waiting.remove(&number)?;
        self.count(waiting.cost, -1.0);
        Some(waiting)
    }

    fn count(&mut self, cost: Cost, sign: f64) {
        for kind in Kind::ALL {
            self.cost[kind as usize] += sign * cost.of(kind) as f64;
        }
    }

    fn all(&self) -> Ahead {
        Ahead { calls: self.waiting.len() as f64, cost: self.cost }
    }
}

// === impl Ahead ===

impl Ahead {
    /// With the share of batch calls, one for so many others: of the turns, and of what is there to pay with.
    fn and_share(self, batch: Self, others: f64) -> Self {
        let turns = ((self.calls + 1.0) / others - f64::EPSILON).floor().max(0.0);
        let cost =
            [0, 1, 2, 3].map(|n: usize| self.cost[n] + batch.cost[n].min(self.cost[n] / others));
        Self { calls: self.calls + batch.calls.min(turns), cost }
    }

    /// With at most so many of other calls, which cost what they do on average.
    fn and(self, other: Self, most: f64) -> Self {
        let calls = other.calls.min(most.floor().max(0.0));
        let share = if other.calls > 0.0 { calls / other.calls } else { 0.0 };
        let cost = [0, 1, 2, 3].map(|n: usize| self.cost[n] + share * other.cost[n]);
        Self { calls: self.calls + calls, cost }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const INTERACTIVE: Priority = Priority::Interactive;
    const BATCH: Priority = Priority::Batch;

    fn line(every: u32, calls: &[Priority]) -> Line {
        let mut line = Line::new(every);
        for (number, priority) in calls.iter().enumerate() {
            let cost = Cost { requests: 1, input: 10, output: 0 };
            let place = Place { priority: *priority, number: number as u64 };
            line.push(place, Waiting { cost, leaves: None, waker: None });
        }
        line
    }

    fn order(mut line: Line) -> Vec<u64> {
        let mut order = Vec::new();
        while let [Some(place), _] = line.order(false) {
            line.take(place).expect("it waits");
            order.push(place.number);
        }
        order
    }

    #[test]
    fn interactive_calls_go_before_batch_calls_then_by_arrival() {
        assert_eq!(order(line(10, &[BATCH, INTERACTIVE, BATCH, INTERACTIVE])), [1, 3, 0, 2]);
    }

    #[test]
    fn batch_calls_have_their_share_of_the_turns() {
        let mut calls = vec![INTERACTIVE; 6];
        calls.extend([BATCH; 3]);
        assert_eq!(order(line(3, &calls)), [0, 1, 6, 2, 3, 7, 4, 5, 8]);
    }

    #[test]
    fn what_is_ahead_counts_the_share() {
        let mut calls = vec![INTERACTIVE; 20];
        calls.extend([BATCH; 30]);
        let line = line(10, &calls);
        assert_eq!(line.ahead(INTERACTIVE).calls, 22.0);
        assert_eq!(line.ahead(BATCH).calls, 50.0);
        assert_eq!(line.ahead(BATCH).cost[Kind::Tokens as usize], 500.0);
    }

    #[test]
    fn whoever_cannot_make_it_leaves() {
        let now = Instant::now();
        let mut line = line(10, &[INTERACTIVE, BATCH]);
        line.get_mut(Place { priority: BATCH, number: 1 }).unwrap().leaves = Some(now);
        let soon = now + std::time::Duration::from_secs(1);
        let left: Vec<_> = line.sweep(soon).into_iter().map(|(place, _)| place.number).collect();
        assert_eq!((left, line.len()), (vec![1], 1));
    }

    proptest! {
        /// Nobody of a class is overtaken within it, and no batch call waits for more than its share allows.
        #[test]
        fn the_order_holds(every in 2_u32..12, kinds in prop::collection::vec(any::<bool>(), 0..60)) {
            let calls: Vec<_> = kinds.iter().map(|it| if *it { INTERACTIVE } else { BATCH }).collect();
            let order = order(line(every, &calls));
            prop_assert_eq!(order.len(), calls.len());
            for class in [INTERACTIVE, BATCH] {
                let of: Vec<_> = order.iter().filter(|n| calls[**n as usize] == class).collect();
                prop_assert!(of.is_sorted());
            }
            let mut passed = 0;
            let mut batch = calls.iter().filter(|it| **it == BATCH).count();
            for number in order {
                match calls[number as usize] {
                    BATCH => (passed, batch) = (0, batch - 1),
                    _ => passed += u32::from(batch > 0),
                }
                prop_assert!(passed < every);
            }
        }
    }
}

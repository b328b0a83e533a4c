//! The waiting calls of one priority, and their total cost.

use std::{collections::BTreeMap, task::Waker};

use tokio::time::Instant;

use crate::limit::cost::{Cost, CostDimension, PerDimension};

/// A waiting call.
#[derive(Debug)]
pub(in crate::limit) struct QueueEntry {
    pub(in crate::limit) cost: Cost,
    /// The last time at which the call can still be sent; `None` without a deadline.
    pub(in crate::limit) latest_start: Option<Instant>,
    pub(in crate::limit) waker: Option<Waker>,
}

/// The waiting calls of one priority, by number.
#[derive(Debug, Default)]
pub(super) struct PriorityClass {
    entries: BTreeMap<u64, QueueEntry>,
    cost: PerDimension<f64>,
}

/// The number of calls before a call, and their cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::limit) struct QueuedAhead {
    pub(in crate::limit) calls: f64,
    pub(in crate::limit) cost: PerDimension<f64>,
}

// === impl PriorityClass ===

impl PriorityClass {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The number of the first call.
    pub(super) fn first(&self) -> Option<u64> {
        self.entries.keys().next().copied()
    }

    pub(super) fn get(&self, number: u64) -> Option<&QueueEntry> {
        self.entries.get(&number)
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut QueueEntry> {
        self.entries.get_mut(&number)
    }

    pub(super) fn push(&mut self, number: u64, entry: QueueEntry) {
        self.add_cost(entry.cost, 1.0);
        self.entries.insert(number, entry);
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<QueueEntry> {
        let entry = self.entries.remove(&number)?;
        self.add_cost(entry.cost, -1.0);
        Some(entry)
    }

    /// The numbers of the calls that cannot wait until `time`.
    pub(super) fn late_by(&self, time: Instant) -> Vec<u64> {
        let is_late = |entry: &QueueEntry| entry.latest_start.is_some_and(|latest| latest < time);
        self.entries.iter().filter(|(_, entry)| is_late(entry)).map(|(number, _)| *number).collect()
    }

    /// All calls of the class, as seen by a call that arrives after them.
    pub(super) fn all(&self) -> QueuedAhead {
        QueuedAhead { calls: self.entries.len() as f64, cost: self.cost }
    }

    fn add_cost(&mut self, cost: Cost, sign: f64) {
        for dimension in CostDimension::ALL {
            self.cost[dimension] += sign * cost.of(dimension) as f64;
        }
    }
}

// === impl QueuedAhead ===

impl QueuedAhead {
    /// Adds the share of the batch calls to these interactive calls: one turn per `interactive_turns` interactive ones, and the
    /// same share of the cells.
    pub(super) fn with_batch_share(self, batch: Self, interactive_turns: f64) -> Self {
        let turns = ((self.calls + 1.0) / interactive_turns - f64::EPSILON).floor().max(0.0);
        let cost = PerDimension::from_fn(|dimension| {
            let cost = self.cost[dimension];
            cost + batch.cost[dimension].min(cost / interactive_turns)
        });
        Self { calls: self.calls + batch.calls.min(turns), cost }
    }

    /// These calls and at most `max_others` of the `others`, each of average cost.
    pub(super) fn with_others(self, others: Self, max_others: f64) -> Self {
        let calls = others.calls.min(max_others.floor().max(0.0));
        let share = if others.calls > 0.0 { calls / others.calls } else { 0.0 };
        let cost = PerDimension::from_fn(|dimension| {
            self.cost[dimension] + share * others.cost[dimension]
        });
        Self { calls: self.calls + calls, cost }
    }
}

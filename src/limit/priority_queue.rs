//! The calls that wait on a route: by priority, then by arrival.

mod class;

use tokio::time::Instant;

pub(super) use self::class::QueueEntry;
use self::class::{PriorityClass, QueuedAhead};
use super::cost::Cost;
use crate::context::Priority;

/// The calls that wait on a route.
#[derive(Debug)]
pub(super) struct PriorityQueue {
    interactive: PriorityClass,
    batch: PriorityClass,
    /// One turn in this many goes to a batch call, while interactive calls wait as well.
    batch_every: u32,
    /// Turns of interactive calls since the last turn of a batch call, while a batch call waited.
    turns_since_batch: u32,
}

/// A position in the queue. The lower number arrived first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct QueuePosition {
    pub(super) priority: Priority,
    pub(super) number: u64,
}

/// The calls that may be sent next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NextInQueue {
    pub(super) first: QueuePosition,
    /// The call that may be sent before `first` if `first` cannot be sent yet.
    pub(super) overtaker: Option<QueuePosition>,
}

// === impl PriorityQueue ===

impl PriorityQueue {
    pub(super) fn new(batch_every: u32) -> Self {
        let (interactive, batch) = (PriorityClass::default(), PriorityClass::default());
        Self { interactive, batch, batch_every, turns_since_batch: 0 }
    }

    /// Sets the share of the turns of batch calls: one in this many.
    pub(super) fn set_batch_every(&mut self, turns: u32) {
        self.batch_every = turns;
    }

    pub(super) fn len(&self) -> usize {
        self.interactive.len() + self.batch.len()
    }

    /// The number of waiting calls of a priority.
    pub(super) fn len_of(&self, priority: Priority) -> usize {
        self.class(priority).len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn push(&mut self, position: QueuePosition, entry: QueueEntry) {
        self.class_mut(position.priority).push(position.number, entry);
    }

    /// The calls that may be sent next; `None` if no call waits. A batch call gets its share of the turns, and comes first once
    /// enough is set aside to pay for it, so that it never starves; while it cannot be sent, an interactive call overtakes it.
    pub(super) fn next(&self, batch_can_pay: bool) -> Option<NextInQueue> {
        let interactive = self.first(Priority::Interactive);
        let batch = self.first(Priority::Batch);
        let is_batch_turn = batch_can_pay || self.turns_since_batch + 1 >= self.batch_every;
        match (interactive, batch) {
            (Some(interactive), Some(batch)) if is_batch_turn => {
                Some(NextInQueue { first: batch, overtaker: Some(interactive) })
            }
            _ => interactive.or(batch).map(|first| NextInQueue { first, overtaker: None }),
        }
    }

    /// The first call of a priority.
    pub(super) fn first(&self, priority: Priority) -> Option<QueuePosition> {
        self.class(priority).first().map(|number| QueuePosition { priority, number })
    }

    /// The estimated cost of a waiting call.
    pub(super) fn cost(&self, position: QueuePosition) -> Option<Cost> {
        self.class(position.priority).get(position.number).map(|entry| entry.cost)
    }

    /// The share of the turns that goes to batch calls while interactive calls wait as well.
    pub(super) fn batch_share(&self) -> f64 {
        1.0 / f64::from(self.batch_every)
    }

    pub(super) fn get_mut(&mut self, position: QueuePosition) -> Option<&mut QueueEntry> {
        self.class_mut(position.priority).get_mut(position.number)
    }

    /// Removes a call whose turn it is.
    pub(super) fn take(&mut self, position: QueuePosition) -> Option<QueueEntry> {
        self.turns_since_batch = match position.priority {
            Priority::Interactive if self.batch.len() > 0 => self.turns_since_batch + 1,
            _ => 0,
        };
        self.remove(position)
    }

    /// Removes a call that leaves without its turn.
    pub(super) fn remove(&mut self, position: QueuePosition) -> Option<QueueEntry> {
        self.class_mut(position.priority).remove(position.number)
    }

    /// Removes the calls that cannot wait until `time`.
    pub(super) fn remove_late_by(&mut self, time: Instant) -> Vec<(QueuePosition, QueueEntry)> {
        let mut removed = Vec::new();
        for priority in [Priority::Interactive, Priority::Batch] {
            for number in self.class(priority).late_by(time) {
                let position = QueuePosition { priority, number };
                removed.extend(self.remove(position).map(|entry| (position, entry)));
            }
        }
        removed
    }

    /// The calls that are sent before a call that arrives now.
    pub(super) fn ahead_of(&self, priority: Priority) -> QueuedAhead {
        let (interactive, batch) = (self.interactive.all(), self.batch.all());
        let interactive_turns = f64::from(self.batch_every - 1);
        match priority {
            Priority::Interactive => interactive.with_batch_share(batch, interactive_turns),
            _ => batch.with_others(interactive, (batch.calls + 1.0) * interactive_turns),
        }
    }

    fn class(&self, priority: Priority) -> &PriorityClass {
        match priority {
            Priority::Interactive => &self.interactive,
            Priority::Batch => &self.batch,
        }
    }

    fn class_mut(&mut self, priority: Priority) -> &mut PriorityClass {
        match priority {
            Priority::Interactive => &mut self.interactive,
            Priority::Batch => &mut self.batch,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::limit::cost::CostDimension;

    const INTERACTIVE: Priority = Priority::Interactive;
    const BATCH: Priority = Priority::Batch;

    fn queue(batch_every: u32, calls: &[Priority]) -> PriorityQueue {
        let mut queue = PriorityQueue::new(batch_every);
        for (number, priority) in calls.iter().enumerate() {
            let cost = Cost { requests: 1, input: 10, output: 0 };
            let position = QueuePosition { priority: *priority, number: number as u64 };
            queue.push(position, QueueEntry { cost, latest_start: None, waker: None });
        }
        queue
    }

    fn order(mut queue: PriorityQueue) -> Vec<u64> {
        let mut order = Vec::new();
        while let Some(NextInQueue { first, .. }) = queue.next(false) {
            queue.take(first).expect("it waits");
            order.push(first.number);
        }
        order
    }

    #[test]
    fn interactive_calls_go_before_batch_calls_then_by_arrival() {
        assert_eq!(order(queue(10, &[BATCH, INTERACTIVE, BATCH, INTERACTIVE])), [1, 3, 0, 2]);
    }

    #[test]
    fn batch_calls_have_their_share_of_the_turns() {
        let mut calls = vec![INTERACTIVE; 6];
        calls.extend([BATCH; 3]);
        assert_eq!(order(queue(3, &calls)), [0, 1, 6, 2, 3, 7, 4, 5, 8]);
    }

    #[test]
    fn what_is_ahead_counts_the_share() {
        let mut calls = vec![INTERACTIVE; 20];
        calls.extend([BATCH; 30]);
        let queue = queue(10, &calls);
        assert_eq!(queue.ahead_of(INTERACTIVE).calls, 22.0);
        assert_eq!(queue.ahead_of(BATCH).calls, 50.0);
        assert_eq!(queue.ahead_of(BATCH).cost[CostDimension::Tokens], 500.0);
    }

    #[test]
    fn calls_that_would_be_late_are_removed() {
        let now = Instant::now();
        let mut queue = queue(10, &[INTERACTIVE, BATCH]);
        let last = QueuePosition { priority: BATCH, number: 1 };
        queue.get_mut(last).unwrap().latest_start = Some(now);
        let soon = now + std::time::Duration::from_secs(1);
        let removed: Vec<_> =
            queue.remove_late_by(soon).into_iter().map(|(position, _)| position.number).collect();
        assert_eq!((removed, queue.len()), (vec![1], 1));
    }

    proptest! {
        /// No call of a class is overtaken within it, and no batch call waits for more than its share allows.
        #[test]
        fn the_order_holds(every in 2_u32..12, kinds in prop::collection::vec(any::<bool>(), 0..60)) {
            let calls: Vec<_> = kinds.iter().map(|it| if *it { INTERACTIVE } else { BATCH }).collect();
            let order = order(queue(every, &calls));
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

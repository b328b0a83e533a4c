//! The order of calls: admission, polling and leaving the queue.

use std::{task::Waker, time::Duration};

use tokio::time::Instant;

use super::{
    Admission, AdmissionRequest, Alarm, BatchSaving, DecisionInput, Grant, QueuePoll,
    RouteLimiterState, WaitResult,
};
use crate::{
    context::{FIRST_PROBE, Priority},
    limit::{
        cost::{Cost, PerDimension},
        priority_queue::{QueueEntry, QueuePosition},
        quotas::SetAside,
    },
    time::saturating_add,
};

/// The next call.
enum NextCall {
    Ready(QueuePosition),
    /// The next call cannot be sent yet.
    NotYet(Alarm),
    None,
}

/// When a call may be sent.
enum Readiness {
    Now,
    At(Instant),
    /// When another attempt has ended.
    AfterAnother,
}

// === impl RouteLimiterState ===

impl RouteLimiterState {
    /// Decides about a new call: admits it, queues it, or refuses it at once if its wait would be too long.
    pub(in crate::limit) fn admit(
        &mut self,
        request: AdmissionRequest,
        input: DecisionInput,
    ) -> Admission {
        let AdmissionRequest { priority, cost, latest_start, may_queue } = request;
        let now = input.now;
        self.admit_queued(input);
        if self.is_first(priority) && matches!(self.readiness(priority, cost, now), Readiness::Now)
        {
            self.note_turn(priority, now);
            return Admission::Admitted(self.grant(cost, now));
        }
        let expected = self.expected_wait(priority, cost, now);
        let is_late = latest_start.is_some_and(|latest| saturating_add(now, expected) > latest);
        if !may_queue || is_late || self.queue.len_of(priority) >= self.max_queue {
            return Admission::Refused { retry_in: expected };
        }
        self.last_number += 1;
        let position = QueuePosition { priority, number: self.last_number };
        self.queue.push(position, QueueEntry { cost, latest_start, waker: None });
        // A call of a higher priority may be sent although others wait.
        self.admit_queued(input);
        Admission::Queued { position, expected }
    }

    /// Polls a waiting call.
    pub(in crate::limit) fn poll_queued(
        &mut self,
        position: QueuePosition,
        input: DecisionInput,
        waker: &Waker,
    ) -> QueuePoll {
        // The call is awake.
        let _ = self.queue.get_mut(position).and_then(|entry| entry.waker.take());
        self.admit_queued(input);
        if let Some(result) = self.results.remove(&position.number) {
            return QueuePoll::Ready(result);
        }
        let latest_start = self.queue.get_mut(position).and_then(|entry| {
            entry.waker = Some(waker.clone());
            entry.latest_start
        });
        if latest_start.is_some_and(|latest| latest <= input.now) {
            let entry = self.queue.remove(position);
            let cost = entry.map_or(Cost::default(), |entry| entry.cost);
            self.admit_queued(input);
            let retry_in = self.expected_wait(position.priority, cost, input.now);
            return QueuePoll::Ready(WaitResult::Refused { retry_in });
        }
        let alarm = self.alarm.filter(|alarm| alarm.position == position);
        let alarm_at = alarm.and_then(|alarm| alarm.at);
        QueuePoll::Pending { poll_at: [alarm_at, latest_start].into_iter().flatten().min() }
    }

    /// Removes a waiting call that was dropped. A grant that it was given meanwhile is given back.
    pub(in crate::limit) fn give_up(&mut self, position: QueuePosition, input: DecisionInput) {
        self.queue.remove(position);
        if let Some(WaitResult::Admitted(grant)) = self.results.remove(&position.number) {
            self.on_not_sent(&grant);
            self.concurrency.on_end();
        }
        self.admit_queued(input);
    }

    /// Admits waiting calls, as long as the next one may be sent.
    pub(super) fn admit_queued(&mut self, DecisionInput { now, random }: DecisionInput) {
        self.cooldown.expire(now, self.queue.len(), random);
        self.close_if_exhausted(now);
        loop {
            match self.next_call(now) {
                NextCall::None => break,
                NextCall::NotYet(alarm) => return self.set_alarm(alarm, now),
                NextCall::Ready(position) => {
                    self.note_turn(position.priority, now);
                    let Some(entry) = self.queue.take(position) else { break };
                    let grant = self.grant(entry.cost, now);
                    self.cooldown.on_released(now, random);
                    self.results.insert(position.number, WaitResult::Admitted(grant));
                    self.to_wake.extend(entry.waker);
                }
            }
        }
        self.alarm = None;
        self.cooldown.on_queue_empty();
    }

    /// The next call. A batch call whose turn it is and that cannot pay yet is overtaken by an interactive one.
    fn next_call(&self, now: Instant) -> NextCall {
        let batch_can_pay = self.set_aside(now).is_some_and(|set_aside| set_aside.is_enough);
        let Some(next) = self.queue.next(batch_can_pay) else { return NextCall::None };
        let mut soonest = None;
        for position in [Some(next.first), next.overtaker].into_iter().flatten() {
            let Some(cost) = self.queue.cost(position) else { continue };
            match self.readiness(position.priority, cost, now) {
                Readiness::Now => return NextCall::Ready(position),
                Readiness::At(at) => soonest = soonest.into_iter().chain([at]).min(),
                Readiness::AfterAnother => {}
            }
        }
        NextCall::NotYet(Alarm { position: next.first, at: soonest })
    }

    /// Closes the route if the provider has reported that nothing is left for a long time, so that probes check it.
    fn close_if_exhausted(&mut self, now: Instant) {
        if self.cooldown.closed_for(now).is_zero() {
            let wait = self.quotas.reported_wait(now);
            if wait > FIRST_PROBE {
                self.close(wait, now);
            }
        }
    }

    /// Whether a call that arrives now has no waiting call before it.
    fn is_first(&self, priority: Priority) -> bool {
        match priority {
            Priority::Interactive => self.queue.len_of(Priority::Interactive) == 0,
            Priority::Batch => self.queue.is_empty(),
        }
    }

    /// Records the turn of a call of that priority. The batch call that it overtakes begins to save.
    fn note_turn(&mut self, priority: Priority, now: Instant) {
        let batch = self.queue.first(Priority::Batch).map(|position| position.number);
        match (priority, batch) {
            (Priority::Interactive, Some(number)) => {
                if self.saving.is_none_or(|saving| saving.number != number) {
                    self.saving = Some(BatchSaving { number, since: now });
                }
            }
            _ => self.saving = None,
        }
    }

    /// The cells set aside for the next batch call, if it was overtaken.
    fn set_aside(&self, now: Instant) -> Option<SetAside> {
        let position = self.queue.first(Priority::Batch)?;
        let saving = self.saving.filter(|saving| saving.number == position.number)?;
        let cost = self.queue.cost(position)?;
        let saved_for = now.saturating_duration_since(saving.since);
        Some(self.quotas.savings(cost, saved_for.mul_f64(self.queue.batch_share())))
    }

    fn readiness(&self, priority: Priority, cost: Cost, now: Instant) -> Readiness {
        if !self.concurrency.has_room() {
            return Readiness::AfterAnother;
        }
        // During a long wait a probe checks the limit, whatever remaining amount was reported.
        if self.cooldown.is_probe_due(now) {
            return Readiness::Now;
        }
        let set_aside = self.set_aside(now).filter(|_| priority == Priority::Interactive);
        let set_aside = set_aside.map_or(PerDimension::ZERO, |set_aside| set_aside.cells);
        let cooldown = self.cooldown.wait_for_next(now);
        let wait = match self.cooldown.closed_for(now).is_zero() {
            true => self.quotas.wait_beside(set_aside, cost, now).max(cooldown),
            false => cooldown,
        };
        match wait.is_zero() {
            true => Readiness::Now,
            false => Readiness::At(next_tick(saturating_add(now, wait), now)),
        }
    }

    /// Gives the alarm for the next turn to the next call, and wakes it to set its timer.
    fn set_alarm(&mut self, alarm: Alarm, now: Instant) {
        // An alarm that fires too early only polls again; one in the past would fire without end.
        let is_set = self.alarm.is_some_and(|set| {
            let is_early =
                |set_at: Instant| set_at > now && alarm.at.is_some_and(|at| set_at <= at);
            set.position == alarm.position && set.at.is_some_and(is_early)
        });
        if !is_set {
            self.alarm = Some(alarm);
            let waker = alarm.at.and_then(|_| self.queue.get_mut(alarm.position)?.waker.clone());
            self.to_wake.extend(waker);
        }
    }

    fn grant(&mut self, cost: Cost, now: Instant) -> Grant {
        self.last_number += 1;
        self.quotas.take(cost, now);
        self.cooldown.on_sent(self.last_number, now);
        let snapshots = self.quotas.snapshot(self.last_number, now);
        Grant { sent: self.concurrency.on_sent(now), snapshots, reserved: cost }
    }
}

/// Timers fire by the millisecond: an alarm slightly before its time would fire again and again.
fn next_tick(at: Instant, now: Instant) -> Instant {
    at.max(saturating_add(now, Duration::from_millis(1)))
}

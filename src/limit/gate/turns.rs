//! Whose turn it is.

use std::{task::Waker, time::Duration};

use tokio::time::Instant;

use super::{Answer, Arrival, Fate, Gate, Leave, Turn};
use crate::{
    context::later,
    limit::{
        line::{Place, Waiting},
        tokens::Cost,
    },
};

// === impl Gate ===

impl Gate {
    /// A call comes: it goes, waits, or is refused at once where its wait would be too long.
    pub(in crate::limit) fn arrive(&mut self, call: Arrival, random: f64) -> Answer {
        let Arrival { now, priority, cost, leaves, patient } = call;
        if let Some(Err(wait)) = self.admission.as_mut().map(|it| it.admit(now, random)) {
            return Answer::Refused(wait);
        }
        self.pump(now, random);
        if self.line.is_empty() && self.wait_of(cost, now).is_ok() {
            return Answer::Go(self.admit(cost, now));
        }
        let expected = self.expected(priority, cost, now);
        let late = leaves.is_some_and(|leaves| later(now, expected) > leaves);
        if !patient || late || self.line.of(priority) >= self.queue {
            return Answer::Refused(expected);
        }
        self.nth += 1;
        let place = Place { priority, number: self.nth };
        self.line.push(place, Waiting { cost, leaves, waker: None });
        // One of a higher priority may go although others wait.
        self.pump(now, random);
        Answer::Wait(place, expected)
    }

    /// A call that waits asks for its turn.
    pub(in crate::limit) fn turn(
        &mut self,
        place: Place,
        (now, random): (Instant, f64),
        me: &Waker,
    ) -> Turn {
        // It is awake.
        let _ = self.line.get_mut(place).and_then(|waiting| waiting.waker.take());
        self.pump(now, random);
        if let Some(fate) = self.fates.remove(&place.number) {
            return Turn::Over(fate);
        }
        let leaves = self.line.get_mut(place).and_then(|waiting| {
            waiting.waker = Some(me.clone());
            waiting.leaves
        });
        if leaves.is_some_and(|leaves| leaves <= now) {
            let cost = self.line.remove(place).map_or(Cost::default(), |waiting| waiting.cost);
            self.pump(now, random);
            return Turn::Over(Fate::Refused(self.expected(place.priority, cost, now)));
        }
        let alarm = self.armed.filter(|(armed, _)| *armed == place).and_then(|(_, at)| at);
        Turn::Not([alarm, leaves].into_iter().flatten().min())
    }

    /// A call that waits goes away. The leave that it may have got meanwhile is handed back.
    pub(in crate::limit) fn give_up(&mut self, place: Place, now: Instant, random: f64) {
        self.line.remove(place);
        if let Some(Fate::Go(leave)) = self.fates.remove(&place.number) {
            self.forget(&leave);
            self.slots.freed();
        }
        self.pump(now, random);
    }

    /// Lets through whoever is next, as long as the next one may go.
    pub(super) fn pump(&mut self, now: Instant, random: f64) {
        self.closing.reopen(now, self.line.len(), random);
        while let Some(place) = self.line.next() {
            let Some(cost) = self.line.get_mut(place).map(|waiting| waiting.cost) else { break };
            if let Err(at) = self.wait_of(cost, now) {
                self.arm(place, at, now);
                return;
            }
            let leave = self.admit(cost, now);
            self.closing.passed(now, random);
            self.fates.insert(place.number, Fate::Go(leave));
            let waker = self.line.take(place).and_then(|waiting| waiting.waker);
            self.wake.extend(waker);
        }
        self.armed = None;
        self.closing.done();
    }

    /// Whether a call may go now, or when; `None` where the end of another attempt decides.
    fn wait_of(&self, cost: Cost, now: Instant) -> Result<(), Option<Instant>> {
        if !self.slots.is_free() {
            return Err(None);
        }
        let wait = self.meters.wait([0.0; 4], cost, now).max(self.closing.wait(now));
        if wait.is_zero() { Ok(()) } else { Err(Some(tick(later(now, wait), now))) }
    }

    /// Gives the alarm for the next turn to the one whose turn it is.
    fn arm(&mut self, place: Place, at: Option<Instant>, now: Instant) {
        // One that goes off too early asks again, and does no harm; one that is past would do so without end.
        let coming = |is: Instant| is > now && at.is_some_and(|at| is <= at);
        let early = self.armed.is_some_and(|(armed, is)| armed == place && is.is_some_and(coming));
        if !early {
            self.armed = Some((place, at));
            let waker = at.and_then(|_| self.line.get_mut(place)?.waker.clone());
            self.wake.extend(waker);
        }
    }

    fn admit(&mut self, cost: Cost, now: Instant) -> Leave {
        self.nth += 1;
        self.meters.take(cost, now);
        let marks = self.meters.marks(self.nth, now);
        Leave { slot: self.slots.took(now), marks, cost }
    }
}

/// Timers go off by the millisecond: an alarm a little before its time would go off again and again.
fn tick(at: Instant, now: Instant) -> Instant {
    at.max(later(now, Duration::from_millis(1)))
}

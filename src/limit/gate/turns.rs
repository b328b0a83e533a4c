//! Whose turn it is.

use std::{task::Waker, time::Duration};

use tokio::time::Instant;

use super::{Answer, Arrival, Fate, Gate, Leave, Saving, Turn};
use crate::{
    context::{FIRST_PROBE, Priority},
    limit::{
        line::{Place, Waiting},
        quotas::Saved,
        tokens::Cost,
    },
    time::saturating_add,
};

/// Who goes next.
enum Choice {
    Goes(Place),
    /// That one is next, and may go then; `None` where the end of another attempt decides.
    Later(Place, Option<Instant>),
    Nobody,
}

// === impl Gate ===

impl Gate {
    /// A call comes: it goes, waits, or is refused at once where its wait would be too long.
    pub(in crate::limit) fn arrive(&mut self, call: Arrival, random: f64) -> Answer {
        let Arrival { now, priority, cost, leaves, patient } = call;
        self.pump(now, random);
        if self.is_first(priority) && self.wait_of(priority, cost, now).is_ok() {
            self.pass(priority, now);
            return Answer::Go(self.admit(cost, now));
        }
        let expected = self.expected(priority, cost, now);
        let late = leaves.is_some_and(|leaves| saturating_add(now, expected) > leaves);
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
        self.hold(now);
        loop {
            match self.choose(now) {
                Choice::Nobody => break,
                Choice::Later(place, at) => return self.arm(place, at, now),
                Choice::Goes(place) => {
                    self.pass(place.priority, now);
                    let Some(Waiting { cost, waker, .. }) = self.line.take(place) else { break };
                    let leave = self.admit(cost, now);
                    self.closing.passed(now, random);
                    self.fates.insert(place.number, Fate::Go(leave));
                    self.wake.extend(waker);
                }
            }
        }
        self.armed = None;
        self.closing.done();
    }

    /// Who goes now. A batch call whose turn it is and that cannot pay yet is passed by an interactive one.
    fn choose(&self, now: Instant) -> Choice {
        let saved = self.saved(now).is_some_and(|saved| saved.is_enough);
        let order = self.line.order(saved);
        let mut soonest = None;
        for place in order.into_iter().flatten() {
            let Some(cost) = self.line.cost(place) else { continue };
            match self.wait_of(place.priority, cost, now) {
                Ok(()) => return Choice::Goes(place),
                Err(at) => soonest = soonest.into_iter().chain(at).min(),
            }
        }
        order[0].map_or(Choice::Nobody, |place| Choice::Later(place, soonest))
    }

    /// Where the provider told that nothing is left for a long time, the route is closed, so that probes find out.
    fn hold(&mut self, now: Instant) {
        if self.closing.closed_for(now).is_zero() {
            let told = self.meters.told_wait(now);
            if told > FIRST_PROBE {
                self.close(told, now);
            }
        }
    }

    /// Whether nobody waits who goes before a call that comes now.
    fn is_first(&self, priority: Priority) -> bool {
        match priority {
            Priority::Interactive => self.line.of(Priority::Interactive) == 0,
            Priority::Batch => self.line.is_empty(),
        }
    }

    /// A call of that priority goes. The batch call that it passes begins to save.
    fn pass(&mut self, priority: Priority, now: Instant) {
        let batch = self.line.first(Priority::Batch).map(|place| place.number);
        match (priority, batch) {
            (Priority::Interactive, Some(number)) => {
                if self.saving.is_none_or(|saving| saving.number != number) {
                    self.saving = Some(Saving { number, since: now });
                }
            }
            _ => self.saving = None,
        }
    }

    /// What is set aside for the batch call that is next, where it was passed.
    fn saved(&self, now: Instant) -> Option<Saved> {
        let place = self.line.first(Priority::Batch)?;
        let saving = self.saving.filter(|saving| saving.number == place.number)?;
        let cost = self.line.cost(place)?;
        let time = now.saturating_duration_since(saving.since).mul_f64(self.line.batch_share());
        Some(self.meters.saved(cost, time))
    }

    /// Whether a call may go now, or when; `None` where the end of another attempt decides.
    fn wait_of(&self, priority: Priority, cost: Cost, now: Instant) -> Result<(), Option<Instant>> {
        if !self.slots.is_free() {
            return Err(None);
        }
        // During a long wait one call finds out, whatever was told to be left.
        if self.closing.is_probe_due(now) {
            return Ok(());
        }
        let saved = self.saved(now).filter(|_| priority == Priority::Interactive);
        let aside = saved.map_or([0.0; 4], |saved| saved.aside);
        let closed = self.closing.next(now);
        let wait = match self.closing.closed_for(now).is_zero() {
            true => self.meters.afford(aside, cost, now).max(closed),
            false => closed,
        };
        if wait.is_zero() { Ok(()) } else { Err(Some(tick(saturating_add(now, wait), now))) }
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
        self.closing.sent(self.nth, now);
        let marks = self.meters.marks(self.nth, now);
        Leave { slot: self.slots.took(now), marks, cost }
    }
}

/// Timers go off by the millisecond: an alarm a little before its time would go off again and again.
fn tick(at: Instant, now: Instant) -> Instant {
    at.max(saturating_add(now, Duration::from_millis(1)))
}

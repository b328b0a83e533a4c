//! What a provider answers, and when.

use std::{collections::VecDeque, ops::Range, time::Duration};

use tokio::time::Instant;

use crate::{
    incident::Schedule,
    provider::{Bucket, Burst, Capacity, minute::Minute},
    reply::{Facts, Reply},
};

/// What a provider answers. Decides, and nothing else.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) origin: Instant,
    pub(super) schedule: Option<Schedule>,
    pub(super) next: VecDeque<Reply>,
    /// The tools that do not work, and what is answered to whoever brings one.
    pub(super) gone: Vec<(Box<str>, Reply)>,
    pub(super) spells: Vec<(Range<Duration>, Reply)>,
    pub(super) then: Reply,
    pub(super) limit: Option<Limit>,
}

#[derive(Debug)]
pub(super) struct Limit {
    capacity: Capacity,
    pub(super) over: Reply,
    bucket: Bucket,
    minute: Option<Minute>,
}

/// What an attempt finds.
pub(super) struct Found {
    /// The attempts under way, without this one.
    pub(super) in_flight: usize,
    /// The how-manieth attempt it is.
    pub(super) nth: u64,
}

// === impl Source ===

impl Source {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            origin: now,
            schedule: None,
            next: VecDeque::new(),
            gone: Vec::new(),
            spells: Vec::new(),
            then: Reply::answer(),
            limit: None,
        }
    }

    /// The clock of the schedule, the spells and the capacity starts.
    pub(super) fn start(&mut self, now: Instant) {
        self.origin = now;
        if let Some(limit) = &mut self.limit {
            (limit.bucket, limit.minute) = full(limit.capacity);
        }
    }

    /// The answer to an attempt that comes now.
    pub(super) fn reply(&mut self, now: Instant, facts: &Facts, found: &Found) -> Reply {
        let passed = now.saturating_duration_since(self.origin);
        if let Some(schedule) = &mut self.schedule {
            return schedule.reply(passed, facts.call.unwrap_or(found.nth), &facts.tool_names);
        }
        let over = self.limit.as_mut().and_then(|limit| limit.over(passed, facts, found.in_flight));
        let gone =
            |(name, _): &&(Box<str>, Reply)| facts.tool_names.iter().any(|tool| **tool == **name);
        let gone = self.gone.iter().find(gone).map(|(_, reply)| reply.clone());
        let planned = over.or(gone).or_else(|| self.next.pop_front());
        let reply = planned.unwrap_or_else(|| self.standing(passed).clone());
        match self.limit.as_ref().and_then(|limit| limit.minute) {
            Some(minute) => minute.tell(reply, facts),
            None => reply,
        }
    }

    /// How often the node that answers was replaced so far.
    pub(super) fn node(&self, now: Instant) -> usize {
        let passed = now.saturating_duration_since(self.origin);
        self.schedule.as_ref().map_or(0, |schedule| schedule.node(passed))
    }

    /// Whether no connection is to be made now.
    pub(super) fn refusing(&self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.origin);
        match (&self.schedule, self.next.front()) {
            (Some(schedule), _) => schedule.refusing(passed),
            (None, Some(next)) => next.is_refused(),
            (None, None) => self.standing(passed).is_refused(),
        }
    }

    /// When to ask again whether connections are to be made, if time alone can change it.
    pub(super) fn look_again(&self, now: Instant) -> Option<Instant> {
        let passed = now.saturating_duration_since(self.origin);
        let next = match &self.schedule {
            Some(schedule) => schedule.look_again(passed),
            None => {
                let edges = self.spells.iter().flat_map(|(spell, _)| [spell.start, spell.end]);
                edges.filter(|edge| *edge > passed).min()
            }
        };
        next.and_then(|next| self.origin.checked_add(next))
    }

    /// The answer to everything that no reply was given for.
    fn standing(&self, passed: Duration) -> &Reply {
        let spell = self.spells.iter().find(|(spell, _)| spell.contains(&passed));
        spell.map_or(&self.then, |(_, reply)| reply)
    }
}

// === impl Limit ===

impl Limit {
    pub(super) fn new(capacity: Capacity, over: Reply) -> Self {
        let (bucket, minute) = full(capacity);
        Self { capacity, over, bucket, minute }
    }

    /// The answer to an attempt that exceeds it.
    fn over(&mut self, passed: Duration, facts: &Facts, in_flight: usize) -> Option<Reply> {
        let now = passed.as_secs_f64();
        let takes = match (self.capacity, &mut self.minute) {
            (Capacity::Concurrent(most), _) => in_flight < most,
            (Capacity::PerSecond(rate), _) => self.bucket.take(now, rate.max(0.0)),
            (Capacity::PerMinute { .. }, minute) => {
                minute.as_mut().is_none_or(|minute| minute.take(now, facts))
            }
        };
        (!takes).then(|| self.over.clone())
    }
}

fn full(capacity: Capacity) -> (Bucket, Option<Minute>) {
    let (rate, minute) = match capacity {
        Capacity::PerSecond(rate) => (rate.max(0.0), None),
        Capacity::PerMinute { requests, tokens } => (0.0, Some(Minute::new(requests, tokens))),
        Capacity::Concurrent(_) => (0.0, None),
    };
    (Bucket::new(rate, Burst { seconds: 1.0, least: 1.0 }), minute)
}

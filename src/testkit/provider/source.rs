//! What a provider answers, and when.

use std::{collections::VecDeque, ops::Range, time::Duration};

use tokio::time::Instant;

use crate::testkit::{
    incident::Schedule,
    provider::{Bucket, Burst, Capacity},
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
            limit.bucket = full(limit.capacity);
        }
    }

    /// The answer to an attempt that comes now.
    pub(super) fn reply(&mut self, now: Instant, facts: &Facts, found: &Found) -> Reply {
        let passed = now.saturating_duration_since(self.origin);
        if let Some(schedule) = &mut self.schedule {
            return schedule.reply(passed, facts.call.unwrap_or(found.nth));
        }
        if let Some(limit) = &mut self.limit {
            if !limit.takes(passed, found.in_flight) {
                return limit.over.clone();
            }
        }
        let gone =
            |(name, _): &&(Box<str>, Reply)| facts.tool_names.iter().any(|tool| **tool == **name);
        if let Some((_, reply)) = self.gone.iter().find(gone) {
            return reply.clone();
        }
        match self.next.pop_front() {
            Some(reply) => reply,
            None => self.standing(passed).clone(),
        }
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
        Self { capacity, over, bucket: full(capacity) }
    }

    fn takes(&mut self, passed: Duration, in_flight: usize) -> bool {
        match self.capacity {
            Capacity::Concurrent(most) => in_flight < most,
            Capacity::PerSecond(rate) => self.bucket.take(passed.as_secs_f64(), rate.max(0.0)),
        }
    }
}

fn full(capacity: Capacity) -> Bucket {
    let rate = match capacity {
        Capacity::PerSecond(rate) => rate.max(0.0),
        Capacity::Concurrent(_) => 0.0,
    };
    Bucket::new(rate, Burst { seconds: 1.0, least: 1.0 })
}

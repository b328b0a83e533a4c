//! Decides the answers of a provider.

use std::{collections::VecDeque, ops::Range, time::Duration};

use tokio::time::Instant;

use crate::{
    incident::Schedule,
    provider::{Burst, Capacity, TokenBucket, minute_quota::MinuteQuota},
    reply::{Reply, RequestFacts},
};

/// The configured answers of a provider.
#[derive(Debug)]
pub(super) struct ReplySource {
    pub(super) origin: Instant,
    pub(super) schedule: Option<Schedule>,
    pub(super) next: VecDeque<Reply>,
    /// The unavailable tools, each with the answer to attempts that have it.
    pub(super) unavailable_tools: Vec<(Box<str>, Reply)>,
    /// The answers for a period each.
    pub(super) periods: Vec<(Range<Duration>, Reply)>,
    /// The answer to all other attempts.
    pub(super) default: Reply,
    pub(super) limit: Option<CapacityLimit>,
}

#[derive(Debug)]
pub(super) struct CapacityLimit {
    capacity: Capacity,
    pub(super) over: Reply,
    bucket: TokenBucket,
    minute: Option<MinuteQuota>,
}

/// The load of a provider when an attempt arrives.
pub(super) struct CurrentLoad {
    /// The attempts in progress, without this one.
    pub(super) in_flight: usize,
    /// The number of attempts before this one.
    pub(super) earlier: u64,
}

/// A connection in process: its number, and the node that it leads to.
pub(super) struct OpenedConnection {
    pub(super) number: u64,
    pub(super) node: usize,
}

// === impl ReplySource ===

impl ReplySource {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            origin: now,
            schedule: None,
            next: VecDeque::new(),
            unavailable_tools: Vec::new(),
            periods: Vec::new(),
            default: Reply::answer(),
            limit: None,
        }
    }

    /// Starts the clock of the incident, the periods and the capacity.
    pub(super) fn start(&mut self, now: Instant) {
        self.origin = now;
        if let Some(limit) = &mut self.limit {
            (limit.bucket, limit.minute) = full(limit.capacity);
        }
    }

    /// The answer to an attempt that arrives now.
    pub(super) fn reply(
        &mut self,
        now: Instant,
        facts: &RequestFacts,
        load: &CurrentLoad,
    ) -> Reply {
        let passed = now.saturating_duration_since(self.origin);
        if let Some(schedule) = &mut self.schedule {
            return schedule.reply(passed, facts.call.unwrap_or(load.earlier), &facts.tool_names);
        }
        let over = self.limit.as_mut().and_then(|limit| limit.over(passed, facts, load.in_flight));
        let is_used =
            |(name, _): &&(Box<str>, Reply)| facts.tool_names.iter().any(|tool| **tool == **name);
        let unavailable =
            self.unavailable_tools.iter().find(is_used).map(|(_, reply)| reply.clone());
        let planned = over.or(unavailable).or_else(|| self.next.pop_front());
        let reply = planned.unwrap_or_else(|| self.default_reply(passed).clone());
        match self.limit.as_ref().and_then(|limit| limit.minute) {
            Some(minute) => minute.with_headers(reply, facts),
            None => reply,
        }
    }

    /// How often the node that answers has been replaced.
    pub(super) fn node(&self, now: Instant) -> usize {
        let passed = now.saturating_duration_since(self.origin);
        self.schedule.as_ref().map_or(0, |schedule| schedule.node(passed))
    }

    /// Whether connections are refused now.
    pub(super) fn is_refusing(&self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.origin);
        match (&self.schedule, self.next.front()) {
            (Some(schedule), _) => schedule.is_refusing(passed),
            (None, Some(next)) => next.is_refused(),
            (None, None) => self.default_reply(passed).is_refused(),
        }
    }

    /// The next time at which [`is_refusing`](Self::is_refusing) may change without a change of the configuration.
    pub(super) fn next_change(&self, now: Instant) -> Option<Instant> {
        let passed = now.saturating_duration_since(self.origin);
        let next = match &self.schedule {
            Some(schedule) => schedule.next_change(passed),
            None => {
                let edges = self.periods.iter().flat_map(|(period, _)| [period.start, period.end]);
                edges.filter(|edge| *edge > passed).min()
            }
        };
        next.and_then(|next| self.origin.checked_add(next))
    }

    /// The answer to attempts without a reply of their own.
    fn default_reply(&self, passed: Duration) -> &Reply {
        let period = self.periods.iter().find(|(period, _)| period.contains(&passed));
        period.map_or(&self.default, |(_, reply)| reply)
    }
}

// === impl CapacityLimit ===

impl CapacityLimit {
    pub(super) fn new(capacity: Capacity, over: Reply) -> Self {
        let (bucket, minute) = full(capacity);
        Self { capacity, over, bucket, minute }
    }

    /// The answer to an attempt beyond the capacity.
    fn over(&mut self, passed: Duration, facts: &RequestFacts, in_flight: usize) -> Option<Reply> {
        let now = passed.as_secs_f64();
        let is_within = match (self.capacity, &mut self.minute) {
            (Capacity::Concurrent(max), _) => in_flight < max,
            (Capacity::PerSecond(rate), _) => self.bucket.take(now, rate.max(0.0)),
            (Capacity::PerMinute { .. }, minute) => {
                minute.as_mut().is_none_or(|minute| minute.take(now, facts))
            }
        };
        (!is_within).then(|| self.over.clone())
    }
}

fn full(capacity: Capacity) -> (TokenBucket, Option<MinuteQuota>) {
    let (rate, minute) = match capacity {
        Capacity::PerSecond(rate) => (rate.max(0.0), None),
        Capacity::PerMinute { requests, tokens } => (0.0, Some(MinuteQuota::new(requests, tokens))),
        Capacity::Concurrent(_) => (0.0, None),
    };
    (TokenBucket::new(rate, Burst { seconds: 1.0, min: 1.0 }), minute)
}

//! Limits for each minute, with their headers.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use crate::reply::{Api, Reply, RequestFacts};

/// The remaining requests and tokens of a minute.
#[derive(Clone, Copy, Debug)]
pub(super) struct MinuteQuota {
    requests: Allowance,
    tokens: Allowance,
    /// When both were last filled, in seconds.
    filled: f64,
}

/// The remaining part of one limit. It refills at a constant rate.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    limit: f64,
    remaining: f64,
}

// === impl MinuteQuota ===

impl MinuteQuota {
    pub(super) fn new(requests: u32, tokens: u32) -> Self {
        let full = |limit: u32| Allowance { limit: limit.into(), remaining: limit.into() };
        Self { requests: full(requests), tokens: full(tokens), filled: 0.0 }
    }

    /// Takes an attempt at `now`, in seconds, if both limits allow it.
    pub(super) fn take(&mut self, now: f64, facts: &RequestFacts) -> bool {
        let passed = (now - self.filled).max(0.0);
        self.filled = now;
        let cost = (facts.bytes as u64).div_ceil(4) + facts.max_tokens.unwrap_or(0);
        let (requests, tokens) = (&mut self.requests, &mut self.tokens);
        let is_within = requests.fill(passed, 1.0) & tokens.fill(passed, cost as f64);
        if is_within {
            requests.remaining -= 1.0;
            tokens.remaining -= cost as f64;
        }
        is_within
    }

    /// Adds the headers of both limits to a reply, in the names of the API.
    pub(super) fn with_headers(&self, reply: Reply, facts: &RequestFacts) -> Reply {
        let both = [("requests", self.requests), ("tokens", self.tokens)];
        both.into_iter().fold(reply, |reply, (what, share)| {
            let name = |item: &str| match facts.api {
                Api::Messages => format!("anthropic-ratelimit-{what}-{item}"),
                _ => format!("x-ratelimit-{item}-{what}"),
            };
            let reset = match facts.api {
                Api::Messages => date(share.full_in()),
                _ => format!("{}ms", share.full_in().as_millis()),
            };
            reply
                .header(&name("limit"), &share.limit.to_string())
                .header(&name("remaining"), &share.remaining.floor().to_string())
                .header(&name("reset"), &reset)
        })
    }
}

// === impl Allowance ===

impl Allowance {
    /// Refills for the time passed. Whether `cost` remains.
    fn fill(&mut self, passed: f64, cost: f64) -> bool {
        self.remaining = (self.remaining + passed * self.limit / 60.0).min(self.limit);
        self.remaining + 1e-9 >= cost
    }

    fn full_in(&self) -> Duration {
        Duration::from_secs_f64((self.limit - self.remaining).max(0.0) / self.limit.max(1.0) * 60.0)
    }
}

/// The date after a wait, in RFC 3339.
fn date(wait: Duration) -> String {
    let date = Timestamp::try_from(SystemTime::now() + wait);
    date.map_or_else(|_| String::new(), |date| date.to_string())
}

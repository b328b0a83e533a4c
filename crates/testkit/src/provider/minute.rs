//! Limits by the minute, told in the headers of every answer.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use crate::reply::{Api, Facts, Reply};

/// What is left of the requests and the tokens of a minute.
#[derive(Clone, Copy, Debug)]
pub(super) struct Minute {
    requests: Share,
    tokens: Share,
    filled: f64,
}

/// What is left of one of them. It comes back steadily.
#[derive(Clone, Copy, Debug)]
struct Share {
    limit: f64,
    left: f64,
}

// === impl Minute ===

impl Minute {
    pub(super) fn new(requests: u32, tokens: u32) -> Self {
        let full = |limit: u32| Share { limit: limit.into(), left: limit.into() };
        Self { requests: full(requests), tokens: full(tokens), filled: 0.0 }
    }

    /// Takes an attempt that comes at `now`, in seconds, if there is enough of both for it.
    pub(super) fn take(&mut self, now: f64, facts: &Facts) -> bool {
        let passed = (now - self.filled).max(0.0);
        self.filled = now;
        let cost = (facts.bytes as u64).div_ceil(4) + facts.max_tokens.unwrap_or(0);
        let (requests, tokens) = (&mut self.requests, &mut self.tokens);
        let there = requests.fill(passed, 1.0) & tokens.fill(passed, cost as f64);
        if there {
            requests.left -= 1.0;
            tokens.left -= cost as f64;
        }
        there
    }

    /// The reply with what is left in its headers, as the API at the request's path tells it.
    pub(super) fn tell(&self, reply: Reply, facts: &Facts) -> Reply {
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
                .header(&name("remaining"), &share.left.floor().to_string())
                .header(&name("reset"), &reset)
        })
    }
}

// === impl Share ===

impl Share {
    /// What has come since; whether so many are there now.
    fn fill(&mut self, passed: f64, cost: f64) -> bool {
        self.left = (self.left + passed * self.limit / 60.0).min(self.limit);
        self.left + 1e-9 >= cost
    }

    fn full_in(&self) -> Duration {
        Duration::from_secs_f64((self.limit - self.left).max(0.0) / self.limit.max(1.0) * 60.0)
    }
}

/// A moment, as in RFC 3339.
fn date(wait: Duration) -> String {
    let date = Timestamp::try_from(SystemTime::now() + wait);
    date.map_or_else(|_| String::new(), |date| date.to_string())
}

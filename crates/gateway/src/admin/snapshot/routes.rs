//! A route as it is shown.

use evenkeel::breaker::TransitionReason;
use serde::Serialize;

use crate::{
    admin::unix_time::{UnixMillis, millis, unix_of},
    routes::{SeenRoute, state_name},
};

/// A route as it is shown.
#[derive(Debug, Serialize)]
pub(super) struct ShownRoute {
    id: String,
    provider: String,
    model: String,
    /// Empty for chats.
    operation: String,
    /// A name, or a fingerprint that is new in every process; never the credential.
    credential: String,
    state: String,
    /// Why it is in that state; empty if it never changed.
    reason: &'static str,
    since: UnixMillis,
    /// When the next probe is let through, while it is open.
    back_at: Option<UnixMillis>,
    /// The share of the calls that is let through.
    share: f64,
    failures_in_a_row: u32,
    in_flight: u32,
    waiting: usize,
    /// Until when its provider wants no calls: a rate limit, which opens no breaker.
    limited_until: Option<UnixMillis>,
}

// === impl ShownRoute ===

impl ShownRoute {
    pub(super) fn new(seen: &SeenRoute, id: String, now: UnixMillis) -> Self {
        let (SeenRoute { route, breaker, .. }, limits) = (seen, seen.limits.as_ref());
        let in_future = |wait| second(now.saturating_add(millis(wait)));
        Self {
            id,
            provider: route.provider().to_owned(),
            model: route.model().to_owned(),
            operation: route.operation().to_owned(),
            credential: route.credential().to_owned(),
            state: state_name(breaker.state),
            reason: breaker.reason.map_or("", reason),
            since: second(unix_of(breaker.since, now)),
            back_at: breaker.probe_in.map(in_future),
            share: (breaker.share * 100.0).round() / 100.0,
            failures_in_a_row: breaker.consecutive_failures,
            in_flight: limits.map_or(0, |limits| limits.in_flight),
            waiting: limits.map_or(0, |limits| limits.waiting),
            limited_until: limits.and_then(|limits| limits.closed_for).map(in_future),
        }
    }
}

/// To the second: the difference of two clocks is not exact, and would look like a change.
fn second(time: UnixMillis) -> UnixMillis {
    (time + 500) / 1000 * 1000
}

/// A reason in the words of an operator.
fn reason(reason: TransitionReason) -> &'static str {
    match reason {
        TransitionReason::Forced => "the operator forced it",
        TransitionReason::Reset => "the operator reset it",
        reason => reason.description(),
    }
}

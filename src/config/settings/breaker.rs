//! The breaker's policy.

use super::with;
use crate::{
    breaker::{AnswerTimes, BreakerPolicy},
    config::{tables::BreakerTable, values::Time},
};

/// The policy of the table.
pub(super) fn breaker(table: &BreakerTable) -> BreakerPolicy {
    let range = |range: Option<[Time; 2]>| range.map(|[start, end]| start.0..=end.0);
    let time = |time: Option<Time>| time.map(|time| time.0);
    let policy = rules(BreakerPolicy::default(), table);
    let policy = with(policy, range(table.open_backoff), BreakerPolicy::open_backoff);
    let policy = with(policy, table.jitter, BreakerPolicy::jitter);
    let policy = with(policy, time(table.max_hint), BreakerPolicy::max_hint);
    // After `open_backoff`, which may raise it.
    let policy = with(policy, range(table.quota_backoff), BreakerPolicy::quota_backoff);
    let policy = with(policy, table.max_probes, |policy, probes| policy.max_probes(probes.u32()));
    let policy =
        with(policy, table.probe_successes, |policy, probes| policy.probe_successes(probes.u32()));
    let policy = with(policy, time(table.probe_timeout), BreakerPolicy::probe_timeout);
    let (ramp, share) = BreakerPolicy::default().usual_ramp();
    policy.ramp(time(table.ramp).unwrap_or(ramp), table.initial_share.unwrap_or(share))
}

/// When it opens.
fn rules(usual: BreakerPolicy, table: &BreakerTable) -> BreakerPolicy {
    let time = |time: Option<Time>| time.map(|time| time.0);
    let policy = with(usual, table.consecutive_failures, |policy, failures| {
        policy.consecutive_failures(failures.0.map(|failures| failures.u32()))
    });
    let policy = with(policy, table.failure_ratio, |policy, share| policy.failure_ratio(share.0));
    let policy = with(policy, table.slow_ratio, |policy, share| policy.slow_ratio(share.0));
    let policy = with(policy, table.unauthorized, |policy, rejections| {
        policy.unauthorized(rejections.0.map(|rejections| rejections.u32()))
    });
    let policy = with(policy, table.slow_after, |policy, slow| {
        policy.slow_after(AnswerTimes {
            first_event: slow.first_event.0,
            whole_answer: slow.whole_answer.0,
        })
    });
    let policy = with(policy, time(table.min_span), BreakerPolicy::min_span);
    let policy = with(policy, table.min_calls, |policy, calls| policy.min_calls(calls.u32()));
    with(policy, time(table.window), BreakerPolicy::window)
}

//! The profile: time limits, retries, what is held back.

use std::time::Duration;

use super::{
    breaker::breaker,
    outcomes::error_codes,
    traffic::{hedge, limit},
    with,
};
use crate::{
    ConfigError, Profile,
    classify::ClassifyPolicy,
    config::{
        tables::{File, LimitsTable, RetryTable},
        values::{ProfileName, Time},
    },
    retry::RetryPolicy,
    timeout::TimeoutPolicy,
};

/// The profile of a file.
pub(super) fn profile(file: &File) -> Result<Profile, ConfigError> {
    let usual = match file.profile.map(|name| name.0).unwrap_or_default() {
        ProfileName::Interactive => Profile::interactive(),
        ProfileName::Pipeline => Profile::pipeline(),
    };
    let limits = &file.limits;
    let profile = with(usual, limits.deadline, |profile, time| profile.deadline(time.0));
    let profile = with(profile, limits.connect, |profile, time| profile.connect(time.0));
    let timeout = timeout(profile.timeout.clone(), limits);
    let retry = retry(profile.retry.clone(), &file.retry);
    let retry = with(retry, limits.retries, |retry, most| retry.retries(most.u32()));
    let classify = classify(profile.classify.clone(), file);
    let profile = profile
        .timeout(timeout)
        .retry(retry)
        .breaker(breaker(&file.breaker))
        .limit(limit(&file.traffic)?)
        .hedge(hedge(&file.traffic)?)
        .classify(classify);
    // It sets the limit of an attempt as well, so it comes after the timeouts.
    let profile = with(profile, limits.cold_start, |profile, time| {
        profile.cold_start(time.0.map(|time| time.0))
    });
    let profile = with(profile, file.wait_for_recovery, Profile::wait_for_recovery);
    Ok(with(profile, error_codes(&file.outcome)?, Profile::error_codes))
}

fn timeout(usual: TimeoutPolicy, limits: &LimitsTable) -> TimeoutPolicy {
    let timeout = with(usual, limits.attempt, |policy, time| policy.attempt(time.0));
    let timeout = with(timeout, limits.idle, |policy, time| policy.idle(time.0));
    let timeout =
        with(timeout, limits.deadline_header.clone(), |policy, header| policy.header(header.0));
    let timeout = with(timeout, limits.min_events_per_minute, |policy, least| {
        policy.min_events_per_minute(least.0.map(|least| least.u32()))
    });
    let whole = limits.stream_total.and_then(|whole| whole.0).map(|whole| whole.0);
    let timeout = timeout.stream_total(whole);
    // A stream that may not last longer has no longer until its first content either.
    let usual = timeout.answer_times().first_event;
    let clamped = whole.filter(|whole| *whole < usual);
    let first = limits.first_event.map(|first| first.0).or(clamped);
    with(timeout, first, TimeoutPolicy::first_event)
}

fn retry(usual: RetryPolicy, table: &RetryTable) -> RetryPolicy {
    let time = |time: Option<Time>| time.map(|time| time.0);
    let (base, cap) = (time(table.base), time(table.max_backoff));
    let retry = with(usual, table.factor, RetryPolicy::factor);
    let retry = with(retry, time(table.max_hint), RetryPolicy::max_hint);
    let retry = with(retry, time(table.min_attempt_time), RetryPolicy::min_attempt_time);
    let retry = with(retry, table.budget_ratio, RetryPolicy::budget_ratio);
    let retry = with(retry, table.budget_reserve, |retry, calls| retry.budget_reserve(calls.u32()));
    let retry = with(retry, table.resend_bytes, |retry, bytes| {
        retry.resend_bytes(bytes.0.map(|bytes| bytes.u64()))
    });
    // Of the base and its cap, the one that is not set gives way.
    let (usual_base, usual_cap) = retry.waits();
    let base = base.unwrap_or(cap.map_or(usual_base, |cap| usual_base.min(cap)));
    retry.base(base).max_backoff(cap.unwrap_or(Duration::max(usual_cap, base)))
}

fn classify(usual: ClassifyPolicy, file: &File) -> ClassifyPolicy {
    let classify = with(usual, file.commit, |policy, commit| policy.commit(commit.0));
    let buffer = &file.buffer;
    let classify =
        with(classify, buffer.hold_events, |policy, events| policy.hold_events(events.u32()));
    let classify =
        with(classify, buffer.hold_bytes, |policy, bytes| policy.hold_bytes(bytes.usize()));
    with(classify, buffer.collect, |policy, bytes| policy.collect(bytes.usize()))
}

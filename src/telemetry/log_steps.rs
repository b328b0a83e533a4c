//! The steps of a call in `tracing`, at `DEBUG`: each with the name of its event and typed fields.

use std::time::Duration;

use tracing::debug;

use super::{EventKind, spans::int};
use crate::outcome::Code;

/// A step: its name, its fields, and the event that they are from.
macro_rules! step {
    ($name:literal $(, $($fields:tt)*)?) => {
        debug!(name: concat!("evenkeel.", $name), target: "evenkeel", $($($fields)*,)? $name)
    };
}

/// Records a step.
pub(super) fn record(event: &EventKind) {
    if !tracing::enabled!(target: "evenkeel", tracing::Level::DEBUG) {
        return;
    }
    match event {
        EventKind::CallStarted
        | EventKind::CacheHit { .. }
        | EventKind::CacheMiss { .. }
        | EventKind::Coalesced
        | EventKind::CacheStored { .. }
        | EventKind::CacheFailed => around_the_cache(event),
        EventKind::FallbackSkipped { .. }
        | EventKind::FallbackEntered { .. }
        | EventKind::RequestEdited { .. }
        | EventKind::Resumed { .. }
        | EventKind::ProbeRaced { .. } => at_a_fallback(event),
        EventKind::BodyEnded { .. }
        | EventKind::CallEnded { .. }
        | EventKind::CallClosed { .. } => {
            at_the_end(event);
        }
        _ => of_an_attempt(event),
    }
}

fn around_the_cache(event: &EventKind) {
    match event {
        EventKind::CallStarted => step!("call_started"),
        EventKind::CacheHit { age, stale } => {
            step!("cache_hit", age_s = secs(*age), stale);
        }
        EventKind::CacheMiss { reason } => step!("cache_miss", ?reason),
        EventKind::Coalesced => step!("coalesced"),
        EventKind::CacheStored { bytes } => {
            step!("cache_stored", bytes = int(*bytes as u64));
        }
        _ => step!("cache_failed"),
    }
}

fn at_a_fallback(event: &EventKind) {
    match event {
        EventKind::FallbackSkipped { fallback, name, reason } => {
            step!("fallback_skipped", fallback = i64::from(*fallback), %name, ?reason);
        }
        EventKind::FallbackEntered { fallback, name } => {
            step!("fallback_entered", fallback = i64::from(*fallback), %name);
        }
        EventKind::RequestEdited { fallback, name, edited } => {
            step!("request_edited", fallback = i64::from(*fallback), %name, ?edited);
        }
        EventKind::Resumed { fallback, name, after } => {
            let after = after.name();
            step!("resumed", fallback = i64::from(*fallback), %name, after);
        }
        EventKind::ProbeRaced { fallback, after } => {
            step!("probe_raced", fallback = i64::from(*fallback), after_s = secs(*after));
        }
        _ => {}
    }
}

fn of_an_attempt(event: &EventKind) {
    match event {
        EventKind::AttemptStarted { route, attempt, .. } => {
            step!("attempt_started", %route, attempt = i64::from(*attempt));
        }
        EventKind::BreakerRefused { route, retry_in } => {
            step!("breaker_refused", %route, retry_in_s = secs(*retry_in));
        }
        EventKind::LimitQueued { route, expected, .. } => {
            step!("limit_queued", %route, expected_s = secs(*expected));
        }
        EventKind::LimitWaited { route, waited, admitted, .. } => {
            step!("limit_waited", %route, waited_s = secs(*waited), admitted);
        }
        EventKind::LimitRefused { route, retry_in } => {
            step!("limit_refused", %route, retry_in_s = secs(*retry_in));
        }
        EventKind::CredentialsFetched { route, lifetime, took } => {
            let (lifetime_s, took_s) = (lifetime.map(secs), secs(*took));
            step!("credentials_fetched", %route, lifetime_s, took_s);
        }
        EventKind::Hedged { route, after } => {
            step!("hedged", %route, after_s = secs(*after));
        }
        EventKind::ConnectionLost { route, sent_again } => {
            step!("connection_lost", %route, sent_again);
        }
        EventKind::TimedOut { phase, after } => {
            step!("timed_out", %phase, after_s = secs(*after));
        }
        EventKind::AnswerConverted { route, stream } => {
            step!("answer_converted", %route, stream);
        }
        EventKind::AttemptEnded { route, attempt, provider, verdict, status, took, .. } => {
            let (code, outcome) = (verdict.code().map(Code::as_str), verdict.outcome().name());
            let (attempt, status) = (i64::from(*attempt), status.map(i64::from));
            let (provider, took_s) = (&**provider, secs(*took));
            step!("attempt_ended", %route, attempt, provider, outcome, status, code, took_s);
        }
        EventKind::RetryWaiting { route, wait, hinted } => {
            step!("retry_waiting", %route, wait_s = secs(*wait), hinted);
        }
        EventKind::RetryStopped { route, reason } => {
            step!("retry_stopped", %route, ?reason);
        }
        EventKind::StreamSlow { route, events, within } => {
            let (events, within_s) = (i64::from(*events), secs(*within));
            step!("stream_slow", %route, events, within_s);
        }
        other => step!("event", event = other.name()),
    }
}

fn at_the_end(event: &EventKind) {
    match event {
        EventKind::CallEnded { outcome, served_by, source, attempts, took, .. } => {
            let (outcome, source) = (outcome.name(), source.name());
            let (served_by, attempts) = (served_by.as_deref(), i64::from(*attempts));
            let took_s = secs(*took);
            step!("call_ended", outcome, served_by, source, attempts, took_s);
        }
        EventKind::BodyEnded { ending, took } => {
            let (outcome, took_s) = (ending.outcome().name(), secs(*took));
            step!("body_ended", outcome, took_s);
        }
        EventKind::CallClosed { report } => {
            let (outcome, took_s) = (report.outcome.name(), secs(report.took));
            let usage = report.answer.usage;
            let (input, output) = (usage.map(|it| int(it.input)), usage.map(|it| int(it.output)));
            step!("call_closed", outcome, input_tokens = input, output_tokens = output, took_s);
        }
        _ => {}
    }
}

/// A duration in seconds.
pub(super) fn secs(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

//! Events and spans in `tracing`: the only file that depends on it.

use std::time::Duration;

use tracing::{Level, Span, debug, field::Empty, info, info_span, warn};

use super::{EventKind, seen_codes};
use crate::{
    Error, Request, Response,
    attempt_log::{BodyEnd, CallId},
    circuit_state::CircuitState,
    context::{AttemptLog, Route},
    dialect::RequestInfo,
    error::judge,
    outcome::{Outcome, Rejection, Verdict},
    route::shown,
};

/// Records an event in the current span: `WARN` for what an operator must know, lower levels for the rest.
pub(super) fn record(event: &EventKind) {
    match event {
        EventKind::BreakerChanged { route, from, to, reason, lasts } => match to {
            CircuitState::Open => {
                warn!(target: "evenkeel", %route, %from, %to, %reason, ?lasts, "breaker opened");
            }
            _ => info!(target: "evenkeel", %route, %from, %to, %reason, "breaker changed"),
        },
        EventKind::TargetEjected { route, outcome, lasts } => {
            warn!(target: "evenkeel", %route, outcome = outcome.name(), ?lasts, "target out");
        }
        EventKind::LimitClosed { route, lasts } => {
            info!(target: "evenkeel", %route, ?lasts, "rate limited");
        }
        EventKind::LimitQueued { route, expected } => {
            debug!(target: "evenkeel", %route, ?expected, "call queued");
        }
        EventKind::LimitRefused { route, retry_in } => {
            debug!(target: "evenkeel", %route, ?retry_in, "call refused by a limit");
        }
        EventKind::AttemptEnded { route, attempt, verdict, took } => {
            attempt_ended(route, *attempt, verdict, *took);
        }
        EventKind::CallEnded { outcome, served_by: fallback, attempts, took } => {
            let (outcome, failed) = (outcome.name(), !outcome.is_success());
            match failed {
                true => {
                    info!(target: "evenkeel", outcome, ?fallback, attempts, ?took, "call failed")
                }
                false => {
                    debug!(target: "evenkeel", outcome, ?fallback, attempts, ?took, "call ended")
                }
            }
        }
        EventKind::CredentialsFailed { route, reason, retry_in } => {
            warn!(target: "evenkeel", %route, ?reason, ?retry_in, "no credentials");
        }
        EventKind::CredentialsRejected { route, sent_again } => {
            info!(target: "evenkeel", %route, sent_again, "credentials rejected");
        }
        EventKind::Panicked { code } => {
            warn!(target: "evenkeel", ?code, "code of the user's panicked");
        }
        other => debug!(target: "evenkeel", event = ?other),
    }
}

/// Records the end of an attempt: `WARN` for what the operator has to fix.
fn attempt_ended(route: &Route, attempt: u32, verdict: &Verdict, took: Duration) {
    let (outcome, code) = (verdict.outcome(), verdict.code().map(|code| code.as_str()));
    if verdict.unknown_code().is_some_and(|code| seen_codes::is_first(route.provider(), code)) {
        let outcome = outcome.name();
        info!(target: "evenkeel", %route, code, outcome, "unknown code: its status decided");
    }
    match outcome {
        Outcome::NotSent { .. } if verdict.local_trouble().is_some() => {
            let why = verdict.local_trouble();
            warn!(target: "evenkeel", %route, ?why, "attempt not sent: trouble of this machine");
        }
        Outcome::Unreachable if verdict.tls_failure().is_some() => {
            let why = verdict.tls_failure();
            warn!(target: "evenkeel", %route, why, "no connection: TLS failed");
        }
        Outcome::QuotaExhausted { wait } => {
            warn!(target: "evenkeel", %route, code, ?wait, "quota exhausted");
        }
        Outcome::Rejected { why: Rejection::Credential } => {
            warn!(target: "evenkeel", %route, code, "credential rejected");
        }
        Outcome::Rejected { why: Rejection::Model } if seen_codes::is_first_model(route) => {
            warn!(target: "evenkeel", %route, code, "model rejected");
        }
        Outcome::Rejected { why: Rejection::Payment } => {
            warn!(target: "evenkeel", %route, code, "payment required");
        }
        _ => {
            let outcome = outcome.name();
            debug!(target: "evenkeel", %route, attempt, outcome, code, ?took, "attempt ended");
        }
    }
}

/// The span of a call; disabled, at no cost, if there is no subscriber.
pub(super) fn call(id: CallId, request: &Request, info: &RequestInfo) -> Span {
    if !tracing::enabled!(target: "evenkeel", Level::INFO) {
        return Span::none();
    }
    let model = &*shown(info.model().unwrap_or("-"));
    let operation = if info.dialect().is_some() { "chat" } else { "request" };
    info_span!(
        target: "evenkeel",
        "chat",
        otel.name = format!("{operation} {model}"),
        otel.kind = "client",
        gen_ai.operation.name = operation,
        gen_ai.request.model = model,
        gen_ai.request.max_tokens = info.max_tokens(),
        server.address = request.uri().host(),
        server.port = request.uri().port_u16(),
        http.response.status_code = Empty,
        error.r#type = Empty,
        evenkeel.call.id = id.get(),
        evenkeel.served_by = Empty,
        evenkeel.attempts = Empty,
        evenkeel.ending = Empty,
    )
}

/// The span of an attempt.
pub(super) fn attempt(route: &Route, fallback: u16) -> Span {
    info_span!(
        target: "evenkeel",
        "attempt",
        gen_ai.provider.name = route.provider(),
        gen_ai.request.model = route.model(),
        evenkeel.route = %route,
        evenkeel.fallback = fallback,
        http.response.status_code = Empty,
        error.r#type = Empty,
    )
}

/// Records the outcome of a call or an attempt in its span.
pub(super) fn result(span: &Span, result: &Result<Response, Error>) {
    if span.is_disabled() {
        return;
    }
    if let Ok(response) = result {
        span.record("http.response.status_code", response.status().as_u16());
    }
    let outcome = judge(result).outcome();
    if !outcome.is_success() {
        span.record("error.type", outcome.name());
    }
}

/// Records in the span of an attempt that it was cancelled, by the caller or by a layer above.
pub(super) fn given_up(span: &Span) {
    span.record("error.type", Outcome::Cancelled.name());
}

/// Records the number of attempts and the fallback that answered in the span of the call.
pub(super) fn attempt_log(span: &Span, attempt_log: &AttemptLog) {
    if span.is_disabled() {
        return;
    }
    span.record("evenkeel.attempts", attempt_log.sent());
    if let Some(fallback) = attempt_log.served_by() {
        span.record("evenkeel.served_by", &*fallback);
    }
}

/// Records how the body ended in the span of its call.
pub(super) fn ending(span: &Span, ending: &BodyEnd) {
    let outcome = ending.outcome();
    span.record("evenkeel.ending", outcome.name());
    if !outcome.is_success() && outcome != Outcome::Cancelled {
        span.record("error.type", outcome.name());
    }
}

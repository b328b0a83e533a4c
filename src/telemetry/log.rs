//! Events in `tracing`: what an operator must know as `WARN` or `INFO`; every other step as `DEBUG`, in [`log_steps`](super::log_steps).

use tokio::time::Instant;
use tracing::{info, warn};

use super::{
    AnswerSource, CallReport, EventKind, chaos_log,
    log_limit::LogLimit,
    log_steps::{self, secs},
    seen_codes,
};
use crate::{
    attempt_log::BodyEnd,
    circuit_state::CircuitState,
    context::Route,
    outcome::{Code, Outcome, Rejection, Verdict},
};

/// Records an event in the current span.
pub(super) fn record(event: &EventKind, limit: &LogLimit) {
    match event {
        EventKind::BreakerChanged { route, from, to, reason, lasts, .. } => match to {
            CircuitState::Open => {
                let lasts_s = lasts.map(secs);
                warn!(name: "evenkeel.breaker_changed", target: "evenkeel", %route, %from, %to, %reason, lasts_s, "breaker opened");
            }
            _ => {
                info!(name: "evenkeel.breaker_changed", target: "evenkeel", %route, %from, %to, %reason, "breaker changed");
            }
        },
        EventKind::TargetEjected { route, outcome, lasts } => {
            let (outcome, lasts_s) = (outcome.name(), secs(*lasts));
            warn!(name: "evenkeel.target_ejected", target: "evenkeel", %route, outcome, lasts_s, "target out");
        }
        EventKind::LimitClosed { route, lasts } => {
            info!(name: "evenkeel.limit_closed", target: "evenkeel", %route, lasts_s = secs(*lasts), "rate limited");
        }
        EventKind::CredentialsFailed { route, reason, retry_in } => {
            let retry_in_s = retry_in.map(secs);
            warn!(name: "evenkeel.credentials_failed", target: "evenkeel", %route, ?reason, retry_in_s, "no credentials");
        }
        EventKind::CredentialsRejected { route, sent_again } => {
            info!(name: "evenkeel.credentials_rejected", target: "evenkeel", %route, sent_again, "credentials rejected");
        }
        EventKind::AttemptEnded { route, verdict, status, .. } => {
            if !attempt_failed(route, verdict, *status, limit) {
                log_steps::record(event);
            }
        }
        EventKind::CallEnded { .. } => call_ended(event, limit),
        EventKind::CallClosed { report } => {
            call_closed(report);
            log_steps::record(event);
        }
        EventKind::Panicked { code } => {
            warn!(name: "evenkeel.panicked", target: "evenkeel", ?code, "code of the user's panicked");
        }
        EventKind::ChaosOn { .. }
        | EventKind::FaultInjected { .. }
        | EventKind::ChaosOff { .. } => {
            chaos_log::record(event);
        }
        other => log_steps::record(other),
    }
}

/// Records the end of an attempt that the operator has to know of. Returns whether it did.
fn attempt_failed(route: &Route, verdict: &Verdict, status: Option<u16>, limit: &LogLimit) -> bool {
    let code = verdict.code().map(Code::as_str);
    if verdict.unknown_code().is_some_and(|code| seen_codes::is_first(route.provider(), code)) {
        let outcome = verdict.outcome().name();
        info!(name: "evenkeel.unknown_code", target: "evenkeel", %route, code, outcome, "unknown code: its status decided");
    }
    let Some(trouble) = trouble(verdict, status) else { return false };
    let Some(suppressed) = limit.admit(trouble, route, Instant::now()) else { return false };
    let (outcome, status) = (verdict.outcome().name(), status.map(i64::from));
    let suppressed = super::spans::int(suppressed);
    let why = verdict.tls_failure().map(str::to_owned);
    let why = why.or_else(|| verdict.local_trouble().map(|trouble| format!("{trouble:?}")));
    warn!(name: "evenkeel.attempt_ended", target: "evenkeel", %route, outcome, status, code, why, suppressed, "{trouble}");
    true
}

/// What the operator has to fix, if an attempt failed because of it.
fn trouble(verdict: &Verdict, status: Option<u16>) -> Option<&'static str> {
    match verdict.outcome() {
        Outcome::NotSent { .. } if verdict.local_trouble().is_some() => {
            Some("attempt not sent: trouble of this machine")
        }
        Outcome::Unreachable if verdict.tls_failure().is_some() => {
            Some("no connection: TLS failed")
        }
        Outcome::QuotaExhausted { .. } => Some("quota exhausted"),
        Outcome::Rejected { why: Rejection::Credential } => Some("credential rejected"),
        // A 404 alone does not tell which of the two it was.
        Outcome::Rejected { why: Rejection::Model } if verdict.code().is_none() => {
            Some("path or model not found at the target")
        }
        Outcome::Rejected { why: Rejection::Model } => Some("model rejected"),
        Outcome::Rejected { why: Rejection::Payment } => Some("payment required"),
        Outcome::Rejected { why: Rejection::Gateway } => Some("rejected by a proxy or firewall"),
        Outcome::Rejected { .. } | Outcome::Declined if matches!(status, Some(404 | 405)) => {
            Some("path not found at the target")
        }
        _ => None,
    }
}

/// Records that a call has its answer or its error: an answer that is not from the first target is logged by default.
fn call_ended(event: &EventKind, limit: &LogLimit) {
    let EventKind::CallEnded { outcome, served_by, source, route, attempts, took } = event else {
        return;
    };
    let (attempts, took_s) = (i64::from(*attempts), secs(*took));
    let (served_by, source_name) = (served_by.as_deref(), source.name());
    let name = outcome.name();
    match outcome {
        Outcome::Success | Outcome::Blocked => {}
        Outcome::Cancelled => return log_steps::record(event),
        _ => {
            info!(name: "evenkeel.call_ended", target: "evenkeel", outcome = name, served_by, attempts, took_s, "call failed");
            return;
        }
    }
    match source {
        AnswerSource::Canned => {
            let nowhere = || Route::new("-", "-", "-");
            let route = route.clone().unwrap_or_else(nowhere);
            match limit.admit("canned", &route, Instant::now()) {
                Some(suppressed) => {
                    let suppressed = super::spans::int(suppressed);
                    warn!(name: "evenkeel.call_ended", target: "evenkeel", %route, served_by, attempts, took_s, suppressed, "answered by a canned reply");
                }
                None => log_steps::record(event),
            }
        }
        AnswerSource::Fallback | AnswerSource::Stored => {
            let route = route.as_ref().map(tracing::field::display);
            info!(name: "evenkeel.call_ended", target: "evenkeel", route, served_by, source = source_name, attempts, took_s, "answered by a fallback");
        }
        _ => log_steps::record(event),
    }
}

/// Records an answer that failed while it was read, and a finish reason that is in no table.
fn call_closed(report: &CallReport) {
    let Some(BodyEnd::Truncated | BodyEnd::Failed(_)) = report.ending else { return };
    if !report.is_failure() {
        return;
    }
    let (outcome, served_by) = (report.outcome.name(), report.served_by.as_deref());
    let route = report.route.as_ref().map(tracing::field::display);
    info!(name: "evenkeel.answer_failed", target: "evenkeel", route, outcome, served_by, "the answer failed while it was read");
    let unknown = (report.outcome == Outcome::Unfinished).then(|| unknown_reason(report)).flatten();
    if let Some(code) = unknown {
        let (route, code) = (report.route.as_ref().map(tracing::field::display), code.as_str());
        info!(name: "evenkeel.unknown_code", target: "evenkeel", route, code, outcome, "unknown finish reason: the answer counts as unfinished");
    }
}

/// The finish reason that made an answer unfinished, when it is seen for the first time.
fn unknown_reason(report: &CallReport) -> Option<Code> {
    let word = report.answer.finish_reasons.iter().rfind(|word| &***word != "error")?;
    let provider = report.route.as_ref().map_or("-", Route::provider);
    Code::new(word).filter(|code| seen_codes::is_first(provider, code))
}

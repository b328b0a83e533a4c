//! Explains an answer, the state of a breaker and a change of a breaker, in one line each.

use std::time::Duration;

use evenkeel::{
    breaker::{BreakerSnapshot, Breakers, Change, CircuitState},
    context::{Attempt, AttemptLog},
    outcome::{Outcome, Phase},
};
use tokio::time::Instant;

use crate::providers::{EmbeddedProvider, Providers};

/// The state of the breaker of a provider.
pub(crate) struct BreakerStatus {
    pub(crate) state: CircuitState,
    /// The state in words, with the failures, the wait or the share.
    pub(crate) text: String,
}

/// The source of an answer, the time to it, and the failed attempts at each target before it.
pub(crate) fn of_answer(attempt_log: &AttemptLog, after: Duration, breakers: &Breakers) -> String {
    let source = attempt_log.served_by();
    let source = source.as_deref().unwrap_or("no target");
    let mut text = format!("{source} answered after {:.2} s", after.as_secs_f64());
    let mut attempts = attempt_log.attempts();
    attempts.retain(|attempt| !attempt.outcome.is_success());
    let mut separator = ":";
    for at_target in attempts.chunk_by(|a, b| a.fallback == b.fallback) {
        let first = &at_target[0];
        let name = first.name.as_deref().unwrap_or(first.route.provider());
        let equal = at_target.chunk_by(|a, b| a.outcome.name() == b.outcome.name());
        let failures: Vec<_> = equal.map(|attempts| failure(attempts, breakers)).collect();
        text += &format!("{separator} {name} {}", failures.join(", then "));
        separator = ";";
    }
    text
}

/// The failure of consecutive attempts with equal outcomes at one target.
fn failure(attempts: &[Attempt], breakers: &Breakers) -> String {
    let Attempt { outcome, took, route, .. } = &attempts[0];
    let times = match attempts.len() {
        1 => String::new(),
        2 => " twice".into(),
        n => format!(" {n} times"),
    };
    match outcome {
        Outcome::Unavailable { .. } => format!("unavailable{times}"),
        Outcome::Unreachable => format!("unreachable{times}"),
        Outcome::Truncated => format!("cut off before its first word{times}"),
        Outcome::TimedOut { phase: Phase::FirstEvent } => {
            format!("silent for {:.1} s", took.as_secs_f64())
        }
        Outcome::Cancelled => format!("cancelled after {:.1} s", took.as_secs_f64()),
        Outcome::NotSent { retry_in } => {
            let now = breakers.of(route).snapshot(Instant::now());
            not_sent(now, retry_in.unwrap_or_default())
        }
        other => format!("failed{times} ({other})"),
    }
}

/// The reason why the breaker did not let an attempt through.
fn not_sent(breaker: BreakerSnapshot, retry_in: Duration) -> String {
    let retry_in = format!("retry in {:.1} s", retry_in.as_secs_f64());
    let detail = match breaker.state {
        // A closed breaker spares a suspicious provider: most calls go to the fallbacks.
        CircuitState::Closed => return format!("not sent (suspicious after failures, {retry_in})"),
        CircuitState::HalfOpen => "another call is the probe".into(),
        CircuitState::Recovering => format!("lets {} through", percent(breaker.share)),
        _ => retry_in,
    };
    format!("not sent (breaker {}, {detail})", state_name(breaker.state))
}

/// The state of the breaker of a provider. The breaker is closed before the first call.
pub(crate) fn breaker_status(provider: &EmbeddedProvider, breakers: &Breakers) -> BreakerStatus {
    let list = breakers.list();
    let found = list.into_iter().find(|(route, _)| provider.has_address(route.provider()));
    let Some((_, now)) = found else {
        return BreakerStatus { state: CircuitState::Closed, text: "closed".into() };
    };
    let detail = match now.state {
        CircuitState::Closed if now.consecutive_failures == 1 => "1 failure".into(),
        CircuitState::Closed if now.consecutive_failures > 1 => {
            format!("{} failures in a row", now.consecutive_failures)
        }
        CircuitState::Open => match now.probe_in {
            Some(wait) => format!("next probe in {:.1} s", wait.as_secs_f64()),
            None => "next probe soon".into(),
        },
        CircuitState::HalfOpen if now.probes > 0 => "a probe is in flight".into(),
        CircuitState::HalfOpen => "the next call is the probe".into(),
        CircuitState::Recovering => format!("lets {} through", percent(now.share)),
        _ => return BreakerStatus { state: now.state, text: state_name(now.state).into() },
    };
    BreakerStatus { state: now.state, text: format!("{}, {detail}", state_name(now.state)) }
}

/// A change of a breaker and its reason.
pub(crate) fn of_change(change: &Change, providers: &Providers) -> String {
    let address = change.route.provider();
    let provider = providers.0.iter().find(|provider| provider.has_address(address));
    let name = provider.map_or(address, |provider| provider.name);
    let duration = match change.lasts {
        Some(lasts) => format!(" for {:.1} s", lasts.as_secs_f64()),
        None => String::new(),
    };
    let reason = change.reason.description();
    let (from, to) = (state_name(change.from), state_name(change.to));
    format!("breaker of {name}: {from} → {to}{duration}, because {reason}")
}

fn state_name(state: CircuitState) -> &'static str {
    match state {
        CircuitState::HalfOpen => "half-open",
        CircuitState::ForcedOpen => "forced open",
        CircuitState::ForcedClosed => "forced closed",
        state => state.name(),
    }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

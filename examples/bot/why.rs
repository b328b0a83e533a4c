//! Who answered and why, and how a breaker does, in one line each.

use std::time::Duration;

use evenkeel::{
    breaker::{Breakers, Cause, Change, Snapshot, State},
    context::{Attempt, AttemptLog},
    outcome::{Outcome, Phase},
};
use tokio::time::Instant;

use crate::shop::{Host, Shop};

/// Who answered after how long, and what those above it came to.
pub(crate) fn answered(attempt_log: &AttemptLog, after: Duration, breakers: &Breakers) -> String {
    let rung = attempt_log.rung();
    let who = rung.as_deref().unwrap_or("nobody");
    let mut why = format!("{who} answered after {:.2} s", after.as_secs_f64());
    let mut attempts = attempt_log.attempts();
    attempts.retain(|attempt| !attempt.outcome.is_success());
    let mut sign = ":";
    for rung in attempts.chunk_by(|a, b| a.rung == b.rung) {
        let name = rung[0].name.as_deref().unwrap_or(rung[0].route.provider());
        let like = rung.chunk_by(|a, b| a.outcome.name() == b.outcome.name());
        let like: Vec<_> = like.map(|like| came_to(like, breakers)).collect();
        why += &format!("{sign} {name} {}", like.join(", then "));
        sign = ";";
    }
    why
}

/// What like attempts at one rung came to.
fn came_to(like: &[Attempt], breakers: &Breakers) -> String {
    let Attempt { outcome, took, route, .. } = &like[0];
    let times = match like.len() {
        1 => String::new(),
        2 => " twice".into(),
        n => format!(" {n} times"),
    };
    match outcome {
        Outcome::Unavailable { .. } => format!("unavailable{times}"),
        Outcome::Unreachable => format!("not to be reached{times}"),
        Outcome::Truncated => format!("cut off before its first word{times}"),
        Outcome::TimedOut { phase: Phase::FirstEvent } => {
            format!("silent for {:.1} s", took.as_secs_f64())
        }
        Outcome::Cancelled => format!("given up after {:.1} s", took.as_secs_f64()),
        Outcome::NotSent { retry_in } => {
            let now = breakers.of(route).snapshot(Instant::now());
            refused(now, retry_in.unwrap_or_default())
        }
        other => format!("failed{times} ({other})"),
    }
}

fn refused(breaker: Snapshot, retry_in: Duration) -> String {
    let back = match breaker.state {
        State::HalfOpen => "another call is its probe".into(),
        State::Recovering => format!("{} let through", percent(breaker.share)),
        _ => format!("back in {:.1} s", retry_in.as_secs_f64()),
    };
    format!("refused (breaker {}, {back})", word(breaker.state))
}

/// How the breaker of a provider does. One that was never asked is closed.
pub(crate) fn state(host: &Host, breakers: &Breakers) -> (State, String) {
    let list = breakers.list();
    let Some((_, now)) = list.into_iter().find(|(route, _)| host.is(route.provider())) else {
        return (State::Closed, "closed".into());
    };
    let more = match now.state {
        State::Closed if now.in_a_row == 1 => "1 failure".into(),
        State::Closed if now.in_a_row > 1 => format!("{} failures in a row", now.in_a_row),
        State::Open => match now.probe_in {
            Some(wait) => format!("next probe in {:.1} s", wait.as_secs_f64()),
            None => "next probe soon".into(),
        },
        State::HalfOpen if now.probes > 0 => "a probe is under way".into(),
        State::HalfOpen => "the next call is its probe".into(),
        State::Recovering => format!("{} let through", percent(now.share)),
        _ => return (now.state, word(now.state).into()),
    };
    (now.state, format!("{}, {more}", word(now.state)))
}

/// One change of a breaker.
pub(crate) fn changed(change: &Change, shop: &Shop) -> String {
    let host = shop.0.iter().find(|host| host.is(change.route.provider()));
    let name = host.map_or(change.route.provider(), |host| host.name);
    let lasts = match change.lasts {
        Some(lasts) => format!(" for {:.1} s", lasts.as_secs_f64()),
        None => String::new(),
    };
    let why = match change.why {
        Cause::Consecutive => "failures in a row".into(),
        Cause::Ratio => "too many failures".into(),
        Cause::Slow => "too many slow answers".into(),
        Cause::Waited => "time for a probe".into(),
        other => other.name().replace('_', " "),
    };
    let (from, to) = (word(change.from), word(change.to));
    format!("breaker of {name}: {from} → {to}{lasts} ({why})")
}

fn word(state: State) -> &'static str {
    match state {
        State::HalfOpen => "half-open",
        State::ForcedOpen => "forced open",
        State::ForcedClosed => "forced closed",
        state => state.name(),
    }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

//! `POST /api/rehearse`: asks every target of the file once.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{body::Body, extract::State};
use evenkeel::rehearsal::RehearsedTarget;
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use tokio::time::{Instant, timeout};

use super::{reply, state::Admin, unix_time::millis};
use crate::check::{self, CheckReport};

/// The rehearsals so far: one at a time, and one in [`PAUSE`], since they cost money.
#[derive(Debug, Default)]
pub(super) struct Rehearsals(Mutex<Option<Last>>);

/// When the last rehearsal started or ended, and whether it is under way.
#[derive(Clone, Copy, Debug)]
struct Last {
    at: Instant,
    under_way: bool,
}

/// Ends the rehearsal when it is dropped.
struct Turn<'a>(&'a Rehearsals);

#[derive(Serialize)]
struct Report {
    ok: bool,
    targets: Vec<AskedTarget>,
}

#[derive(Serialize)]
struct AskedTarget {
    name: String,
    model: Option<String>,
    ok: bool,
    outcome: Option<&'static str>,
    took_ms: Option<u64>,
    words: String,
}

/// The least time between two rehearsals.
const PAUSE: Duration = Duration::from_secs(30);
/// The longest rehearsal.
const LONGEST: Duration = Duration::from_secs(120);

/// Answers `/api/rehearse`.
pub(super) async fn rehearse(State(admin): State<Arc<Admin>>) -> Response<Body> {
    let gateway = admin.gateway();
    if gateway.checks.is_empty() {
        let words = "there is no target to ask: an upstream has the keys of its callers; allowed are targets in a file";
        return reply::error(StatusCode::CONFLICT, words);
    }
    let turn = match admin.rehearsals.turn() {
        Ok(turn) => turn,
        Err(wait) => return too_soon(wait),
    };
    tracing::info!("the operator rehearses the targets");
    let run = check::run(&gateway.checks, &gateway.origin, None);
    let report = timeout(LONGEST, run).await;
    drop(turn);
    match report {
        Ok(report) => reply::json_of(StatusCode::OK, &Report::new(&report)),
        Err(_) => {
            reply::error(StatusCode::GATEWAY_TIMEOUT, "the targets did not answer within 2 min")
        }
    }
}

fn too_soon(wait: Duration) -> Response<Body> {
    let words = "a rehearsal was made a moment ago or is under way; allowed is one in 30 s";
    let mut response = reply::error(StatusCode::TOO_MANY_REQUESTS, words);
    let seconds = HeaderValue::from(wait.as_secs().saturating_add(1));
    response.headers_mut().insert(header::RETRY_AFTER, seconds);
    response
}

// === impl Rehearsals ===

impl Rehearsals {
    /// Begins a rehearsal, or returns the time until one may begin.
    fn turn(&self) -> Result<Turn<'_>, Duration> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = |last: &Last| match last.under_way {
            true => PAUSE,
            false => PAUSE.saturating_sub(last.at.elapsed()),
        };
        if let Some(left) = last.as_ref().map(left).filter(|left| !left.is_zero()) {
            return Err(left);
        }
        *last = Some(Last { at: Instant::now(), under_way: true });
        Ok(Turn(self))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut last = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = last.as_mut() {
            last.under_way = false;
        }
    }
}

// === impl Report ===

impl Report {
    fn new(report: &CheckReport) -> Self {
        let asked = report.targets().map(AskedTarget::asked);
        let unasked = report.unasked().iter().map(|(name, why)| AskedTarget::unasked(name, why));
        Self { ok: report.is_ok(), targets: asked.chain(unasked).collect() }
    }
}

// === impl AskedTarget ===

impl AskedTarget {
    fn asked(target: &RehearsedTarget) -> Self {
        let name = match target.target {
            Some(nth) => format!("{} [{nth}]", target.name),
            None => target.name.to_string(),
        };
        Self {
            name,
            model: target.route.as_ref().map(|route| route.model().to_owned()),
            ok: target.is_ok(),
            outcome: target.outcome().map(|outcome| outcome.name()),
            took_ms: target.answer_after.map(millis),
            words: target.to_string(),
        }
    }

    fn unasked(name: &str, why: &str) -> Self {
        let (name, words) = (name.to_owned(), why.to_owned());
        Self { name, model: None, ok: false, outcome: None, took_ms: None, words }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_rehearsal_at_a_time_and_one_in_thirty_seconds() {
        let rehearsals = Rehearsals::default();
        let turn = rehearsals.turn().ok().unwrap();
        tokio::time::advance(PAUSE * 2).await;
        assert!(rehearsals.turn().is_err(), "one is under way");
        drop(turn);
        assert!(rehearsals.turn().is_ok());
        tokio::time::advance(PAUSE / 2).await;
        assert_eq!(rehearsals.turn().err(), Some(PAUSE / 2));
        tokio::time::advance(PAUSE / 2).await;
        assert!(rehearsals.turn().is_ok());
    }
}

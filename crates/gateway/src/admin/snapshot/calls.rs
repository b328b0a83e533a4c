//! A call as it is shown.

use std::sync::Arc;

use evenkeel::context::Attempt;
use serde::Serialize;

use crate::admin::{
    history::SeenCall,
    unix_time::{UnixMillis, millis},
};

/// A call as it is shown, without content.
#[derive(Debug, Serialize)]
pub(super) struct ShownCall {
    at: UnixMillis,
    id: String,
    model: Option<Arc<str>>,
    dialect: Option<&'static str>,
    stream: bool,
    outcome: &'static str,
    status: Option<u16>,
    served_by: Option<Arc<str>>,
    degraded: Option<&'static str>,
    total_ms: u64,
    first_content_ms: Option<u64>,
    /// The first [`MOST`] of them, in order.
    attempts: Vec<ShownAttempt>,
    /// How many more there were.
    attempts_more: usize,
}

/// An attempt as it is shown.
#[derive(Debug, Serialize)]
struct ShownAttempt {
    target: String,
    model: String,
    outcome: &'static str,
    status: Option<u16>,
    took_ms: u64,
    waited_ms: u64,
}

/// The most attempts of a call that are shown.
const MOST: usize = 16;

// === impl ShownCall ===

impl ShownCall {
    pub(super) fn new(call: &SeenCall) -> Self {
        let attempts = call.attempt_log.attempts();
        Self {
            at: call.at,
            id: format!("c{}", call.id),
            model: call.model.clone(),
            dialect: call.dialect,
            stream: call.stream,
            outcome: call.outcome,
            status: call.status,
            served_by: call.served_by.clone(),
            degraded: call.degraded,
            total_ms: millis(call.total),
            first_content_ms: call.first_content.map(millis),
            attempts_more: attempts.len().saturating_sub(MOST),
            attempts: attempts.iter().take(MOST).map(ShownAttempt::new).collect(),
        }
    }
}

// === impl ShownAttempt ===

impl ShownAttempt {
    fn new(attempt: &Attempt) -> Self {
        let target = attempt.name.as_deref().unwrap_or(attempt.route.provider());
        Self {
            target: target.to_owned(),
            model: attempt.route.model().to_owned(),
            outcome: attempt.outcome.name(),
            status: attempt.status,
            took_ms: millis(attempt.took),
            waited_ms: millis(attempt.wait),
        }
    }
}

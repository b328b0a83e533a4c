//! The last calls, without content.

use std::{sync::Arc, time::Duration};

use evenkeel::{
    context::AttemptLog,
    telemetry::{AnswerSource, CallReport},
};

use super::bucket::is_failure;
use crate::admin::unix_time::{UnixMillis, millis};

/// A call that is over.
#[derive(Clone, Debug)]
pub(in crate::admin) struct SeenCall {
    /// When it was over.
    pub(in crate::admin) at: UnixMillis,
    /// The id of the call in the logs, as a number.
    pub(in crate::admin) id: u64,
    /// Of at most 145 bytes, without control characters.
    pub(in crate::admin) model: Option<Arc<str>>,
    pub(in crate::admin) dialect: Option<&'static str>,
    pub(in crate::admin) stream: bool,
    pub(in crate::admin) outcome: &'static str,
    pub(in crate::admin) status: Option<u16>,
    pub(in crate::admin) served_by: Option<Arc<str>>,
    pub(in crate::admin) degraded: Option<&'static str>,
    pub(in crate::admin) total: Duration,
    pub(in crate::admin) first_content: Option<Duration>,
    pub(in crate::admin) attempt_log: AttemptLog,
}

// === impl SeenCall ===

impl SeenCall {
    pub(super) fn new(report: &CallReport, now: UnixMillis) -> Self {
        Self {
            at: now,
            id: report.attempt_log.call_id().get(),
            model: report.request_model.clone(),
            dialect: report.dialect.map(|dialect| dialect.name()),
            stream: report.stream,
            outcome: report.outcome.name(),
            status: report.status,
            served_by: report.served_by.clone(),
            degraded: degraded(report),
            total: report.took,
            first_content: report.first_chunk,
            attempt_log: report.attempt_log.clone(),
        }
    }

    /// When its first content was handed on, if it was a stream with content.
    pub(super) fn first_content_at(&self) -> Option<UnixMillis> {
        let first = self.first_content?;
        Some(self.at.saturating_sub(millis(self.total.saturating_sub(first))))
    }
}

/// How the answer is less than that of the first target: `fallback`, or the name of the degradation; `None` if it is not, or if
/// there was none.
pub(super) fn degraded(report: &CallReport) -> Option<&'static str> {
    if is_failure(report.outcome) {
        return None;
    }
    let degraded = report.degraded.map(|degradation| degradation.name());
    degraded.or((report.source == AnswerSource::Fallback).then_some("fallback"))
}

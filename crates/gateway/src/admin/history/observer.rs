//! The observer of the events.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use evenkeel::telemetry::{CallReport, Event, EventKind, Observer};

use super::{Answering, EndedAttempt, EndedCall, SeenCall, Series, calls::degraded};
use crate::admin::unix_time::{UnixMillis, millis, unix_now};

/// What happened in the last 15 minutes. Clones share it.
#[derive(Clone, Debug, Default)]
pub(in crate::admin) struct History(Arc<Mutex<Past>>);

/// What is kept.
#[derive(Clone, Debug, Default)]
pub(in crate::admin) struct Past {
    pub(in crate::admin) series: Series,
    /// The newest last.
    pub(in crate::admin) calls: VecDeque<SeenCall>,
    pub(in crate::admin) answering: Option<Answering>,
}

/// The most calls that are kept.
pub(in crate::admin) const CALLS: usize = 100;

// === impl History ===

impl History {
    /// A copy of what is kept, up to `now`.
    pub(in crate::admin) fn at(&self, now: UnixMillis) -> Past {
        let mut past = self.lock();
        past.series.advance(now);
        past.look(now);
        past.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Past> {
        // Counts are right after any panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for History {
    fn observe(&self, event: &Event) {
        match &event.kind {
            EventKind::AttemptEnded { verdict, .. } => {
                let outcome = verdict.outcome();
                self.lock().attempt(EndedAttempt { outcome }, unix_now());
            }
            EventKind::CallClosed { report, .. } => self.lock().call(report, unix_now()),
            _ => {}
        }
    }
}

// === impl Past ===

impl Past {
    /// Finds out who answers now.
    fn look(&mut self, now: UnixMillis) {
        self.answering = Answering::now(&self.series, self.answering.take(), now);
    }

    fn attempt(&mut self, attempt: EndedAttempt, now: UnixMillis) {
        self.series.at(now, now).attempt(attempt);
    }

    fn call(&mut self, report: &CallReport, now: UnixMillis) {
        let degraded = degraded(report).is_some();
        let (outcome, served_by) = (report.outcome, report.served_by.clone());
        self.series.at(now, now).call(&EndedCall { outcome, served_by, degraded });
        let call = SeenCall::new(report, now);
        if let Some((at, first)) = call.first_content_at().zip(call.first_content) {
            let first = millis(first);
            self.series.at(at, now).first_content.add(first);
        }
        self.look(now);
        if self.calls.len() == CALLS {
            self.calls.pop_front();
        }
        self.calls.push_back(call);
    }
}

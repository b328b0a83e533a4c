//! An attempt under way, from its start to what it came to.

use std::time::Duration;

use tokio::time::Instant;

use super::service::Course;
use crate::{
    classify::{Outcome, Verdict},
    context::Attempt,
    telemetry::Event,
};

/// An attempt under way. Dropped before its end, it is one that the caller cancelled.
pub(super) struct UnderWay<'a> {
    course: &'a Course,
    step: Step,
    started: Instant,
    open: bool,
}

/// The how-manieth attempt, from 1, and the wait before it.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) attempt: u32,
    pub(super) wait: Duration,
}

// === impl UnderWay ===

impl<'a> UnderWay<'a> {
    pub(super) fn start(course: &'a Course, step: Step) -> Self {
        let Step { attempt, .. } = step;
        course.emit(Event::AttemptStarted { route: course.route.clone(), attempt });
        Self { course, step, started: Instant::now(), open: true }
    }

    pub(super) fn end(mut self, verdict: Verdict) {
        self.close(verdict);
    }

    fn close(&mut self, verdict: Verdict) {
        self.open = false;
        let Self { course, step: Step { attempt, wait }, started, .. } = *self;
        let (outcome, took) = (verdict.outcome(), started.elapsed());
        // A first attempt earns when it was sent; one that our own breaker refused was not.
        if attempt == 1 && !matches!(outcome, Outcome::Refused { .. }) {
            course.budget.deposit();
        }
        let route = course.route.clone();
        course.journey.push(Attempt { rung: course.rung, route, outcome, wait, took });
        let route = course.route.clone();
        course.emit(Event::AttemptEnded { route, attempt, verdict, took });
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if self.open {
            self.close(Outcome::Cancelled.into());
        }
    }
}

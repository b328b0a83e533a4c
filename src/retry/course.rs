//! One call on its way through the attempts: what each is told, recorded and handed back.

use std::{future::poll_fn, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    Budget,
    decide::{Decision, Retries},
    service::Shared,
};
use crate::{
    Error, Request, Response, Upstream,
    classify::{Outcome, Phase, Verdict, judge},
    context::{Attempt, Call, Deadline, Journey, Route, later},
    telemetry::{Event, Stop},
};

/// What stays the same from attempt to attempt of one call.
pub(super) struct Course {
    shared: Arc<Shared>,
    budget: Arc<Budget>,
    journey: Journey,
    deadline: Option<Deadline>,
    route: Route,
    rung: u16,
    name: Option<Arc<str>>,
}

/// An attempt under way. Dropped before its end, it is one that the caller cancelled.
struct UnderWay<'a> {
    course: &'a Course,
    step: Step,
    started: Instant,
    open: bool,
}

/// The how-manieth attempt, from 1, and the wait before it.
#[derive(Clone, Copy)]
pub(super) struct Step {
    attempt: u32,
    wait: Duration,
}

// === impl Course ===

impl Course {
    pub(super) fn new(shared: Arc<Shared>, request: &mut Request) -> Self {
        let route = Call::route(request);
        let call = Call::of(request);
        Self {
            budget: shared.budgets.of(&route),
            journey: call.journey.clone(),
            deadline: call.deadline,
            rung: call.rung,
            name: call.name.clone(),
            shared,
            route,
        }
    }

    fn left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.left(Instant::now()))
    }

    pub(super) fn may_follow(&self, retries: &Retries) -> bool {
        retries.possible(&self.shared.policy, self.left())
    }

    /// One attempt. Without any time left it is none: nothing is sent, and nobody is told that it was.
    pub(super) async fn attempt<S: Upstream>(
        &self,
        service: &mut S,
        request: Request,
        step: Step,
    ) -> Option<Result<Response, Error>> {
        if self.left().is_some_and(|left| left.is_zero()) {
            return None;
        }
        let under_way = UnderWay::start(self, step);
        let result = match poll_fn(|cx| service.poll_ready(cx)).await {
            Ok(()) => service.call(request).await,
            Err(error) => Err(error),
        };
        under_way.end(judge(&result));
        Some(result)
    }

    /// What a call without any time comes to.
    pub(super) fn late(&self) -> Result<Response, Error> {
        let phase = Phase::Deadline;
        self.emit(Event::TimedOut { phase, after: Duration::ZERO });
        Err(Error::new(Outcome::TimedOut { phase }))
    }

    /// How long to wait before the next attempt; `None` if there is none.
    pub(super) fn wait_after(
        &self,
        retries: &mut Retries,
        result: &Result<Response, Error>,
    ) -> Option<Duration> {
        let Shared { policy, random, .. } = &*self.shared;
        // A token is taken last: nothing that stops for another reason spends one.
        match retries.after(&judge(result), policy, self.left(), random.next()) {
            Decision::Again { wait, .. } if self.is_closed_after(wait) => self.stop(Stop::Breaker),
            Decision::Again { wait, hinted } if self.budget.withdraw() => {
                self.emit(Event::RetryWaiting { route: self.route.clone(), wait, hinted });
                Some(wait)
            }
            Decision::Again { .. } => self.stop(Stop::Budget),
            Decision::Stop(why) => self.stop(why),
            Decision::Return => None,
        }
    }

    /// Whether the breaker would refuse a retry after that wait.
    fn is_closed_after(&self, wait: Duration) -> bool {
        let then = later(Instant::now(), wait);
        self.journey.closed().is_some_and(|until| then < until)
    }

    fn stop(&self, why: Stop) -> Option<Duration> {
        self.emit(Event::RetryStopped { route: self.route.clone(), why });
        None
    }

    /// Hands back the last attempt's own result; only the journey is added.
    pub(super) fn finish(&self, result: Result<Response, Error>) -> Result<Response, Error> {
        let mut response = result.map_err(|error| error.with_journey(&self.journey))?;
        if response.extensions().get::<Journey>().is_none() {
            response.extensions_mut().insert(self.journey.clone());
        }
        Ok(response)
    }

    fn emit(&self, event: Event) {
        self.shared.events.emit(event);
    }
}

// === impl UnderWay ===

impl<'a> UnderWay<'a> {
    fn start(course: &'a Course, step: Step) -> Self {
        let Step { attempt, .. } = step;
        course.emit(Event::AttemptStarted { route: course.route.clone(), attempt });
        Self { course, step, started: Instant::now(), open: true }
    }

    fn end(mut self, verdict: Verdict) {
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
        let (rung, name) = (course.rung, course.name.clone());
        course.journey.push(Attempt { rung, name, route, outcome, wait, took });
        let route = course.route.clone();
        course.emit(Event::AttemptEnded { route, attempt, verdict, took });
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if self.open {
            // Given up by whoever keeps the time, or by the caller.
            let late = self.course.left().is_some_and(|left| left.is_zero());
            let outcome = match late {
                true => Outcome::TimedOut { phase: Phase::Deadline },
                false => Outcome::Cancelled,
            };
            self.close(outcome.into());
        }
    }
}

// === impl Step ===

impl Step {
    pub(super) const FIRST: Self = Self { attempt: 1, wait: Duration::ZERO };

    pub(super) fn next(self, wait: Duration) -> Self {
        Self { attempt: self.attempt.saturating_add(1), wait }
    }
}

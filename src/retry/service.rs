//! The retry layer: attempt, judge, stop or wait, again.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, sleep};
use tower::{Layer, Service};

use super::{
    Budget, Budgets, RetryPolicy,
    decide::{Decision, Retries},
};
use crate::{
    Error, Request, Response, Upstream,
    classify::{Outcome, Verdict, judge},
    context::{Attempt, Call, Deadline, Journey, Route},
    sync::lock_std as lock,
    telemetry::{Event, Events, Stop},
    upstream::take_ready,
};

/// Sends the same request to the same route again where that can help.
#[derive(Clone, Debug)]
pub struct Retry<S> {
    inner: S,
    shared: Arc<Shared>,
}

/// Makes [`Retry`] services, which share their budgets.
#[derive(Clone, Debug)]
pub struct RetryLayer {
    shared: Arc<Shared>,
}

#[derive(Clone)]
struct Shared {
    policy: RetryPolicy,
    budgets: Budgets,
    random: Random,
    events: Events,
}

/// Where jitter comes from.
#[derive(Clone)]
enum Random {
    Thread,
    Seeded(Arc<Mutex<fastrand::Rng>>),
}

/// What stays the same from attempt to attempt of one call.
struct Course {
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
struct Step {
    attempt: u32,
    wait: Duration,
}

// === impl RetryLayer ===

impl RetryLayer {
    pub(super) fn new(policy: RetryPolicy, budgets: Budgets) -> Self {
        let random = match policy.seed {
            Some(seed) => Random::Seeded(Arc::new(Mutex::new(fastrand::Rng::with_seed(seed)))),
            None => Random::Thread,
        };
        let events = Events::default();
        Self { shared: Arc::new(Shared { policy, budgets, random, events }) }
    }

    /// Sends its events there.
    #[must_use]
    pub fn events(mut self, events: Events) -> Self {
        Arc::make_mut(&mut self.shared).events = events;
        self
    }

    /// The budgets it draws on, to be shared with whatever else sends extra attempts.
    pub fn budgets(&self) -> Budgets {
        self.shared.budgets.clone()
    }
}

impl<S> Layer<S> for RetryLayer {
    type Service = Retry<S>;

    fn layer(&self, inner: S) -> Retry<S> {
        Retry { inner, shared: self.shared.clone() }
    }
}

// === impl Retry ===

impl<S: Upstream> Service<Request> for Retry<S> {
    type Response = Response;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        Box::pin(run(take_ready(&mut self.inner), self.shared.clone(), request))
    }
}

async fn run<S: Upstream>(
    mut service: S,
    shared: Arc<Shared>,
    mut request: Request,
) -> Result<Response, Error> {
    let once = Call::of(&mut request).once;
    let course = Course::new(shared, &mut request);
    let mut retries = Retries::new(once);
    let mut step = Step { attempt: 1, wait: Duration::ZERO };
    loop {
        let spare = course.may_follow(&retries).then(|| request.clone());
        let result = course.attempt(&mut service, request, step).await;
        let (Some(wait), Some(next)) = (course.wait_after(&mut retries, &result), spare) else {
            return course.finish(result);
        };
        // The connection of an unread answer is given back before the wait, not after it.
        drop(result);
        sleep(wait).await;
        step = Step { attempt: step.attempt.saturating_add(1), wait };
        request = next;
    }
}

// === impl Course ===

impl Course {
    fn new(shared: Arc<Shared>, request: &mut Request) -> Self {
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

    fn may_follow(&self, retries: &Retries) -> bool {
        retries.possible(&self.shared.policy, self.left())
    }

    async fn attempt<S: Upstream>(
        &self,
        service: &mut S,
        request: Request,
        step: Step,
    ) -> Result<Response, Error> {
        let under_way = UnderWay::start(self, step);
        let result = match poll_fn(|cx| service.poll_ready(cx)).await {
            Ok(()) => service.call(request).await,
            Err(error) => Err(error),
        };
        under_way.end(judge(&result));
        result
    }

    /// How long to wait before the next attempt; `None` if there is none.
    fn wait_after(
        &self,
        retries: &mut Retries,
        result: &Result<Response, Error>,
    ) -> Option<Duration> {
        let Shared { policy, random, .. } = &*self.shared;
        // A token is taken last: nothing that stops for another reason spends one.
        match retries.after(&judge(result), policy, self.left(), random.next()) {
            Decision::Again { wait, hinted } if self.budget.withdraw() => {
                self.emit(Event::RetryWaiting { route: self.route.clone(), wait, hinted });
                Some(wait)
            }
            Decision::Again { .. } => self.stop(Stop::Budget),
            Decision::Stop(why) => self.stop(why),
            Decision::Return => None,
        }
    }

    fn stop(&self, why: Stop) -> Option<Duration> {
        self.emit(Event::RetryStopped { route: self.route.clone(), why });
        None
    }

    /// Hands back the last attempt's own result; only the journey is added.
    fn finish(&self, result: Result<Response, Error>) -> Result<Response, Error> {
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
            self.close(Outcome::Cancelled.into());
        }
    }
}

// === impl Random ===

impl Random {
    /// A number in `[0, 1)`.
    fn next(&self) -> f64 {
        match self {
            Self::Thread => fastrand::f64(),
            Self::Seeded(random) => lock(random).f64(),
        }
    }
}

// === impl Shared ===

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("policy", &self.policy)
            .field("budgets", &self.budgets)
            .field("events", &self.events)
            .finish()
    }
}

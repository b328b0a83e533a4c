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
    attempt::{Step, UnderWay},
    decide::{Decision, Retries},
};
use crate::{
    Error, Request, Response, Upstream,
    classify::{Outcome, Phase, judge},
    context::{Call, Deadline, Journey, Route, later},
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
pub(super) struct Course {
    shared: Arc<Shared>,
    pub(super) budget: Arc<Budget>,
    pub(super) journey: Journey,
    deadline: Option<Deadline>,
    pub(super) route: Route,
    pub(super) rung: u16,
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
    let mut failed = None;
    loop {
        let spare = course.may_follow(&retries).then(|| request.clone());
        let Some(result) = course.attempt(&mut service, request, step).await else {
            return course.finish(failed.unwrap_or_else(|| course.late()));
        };
        if let (Some(failed), true) = (failed.take(), is_refused(&result)) {
            // The route was closed during the wait: what the provider said tells the caller more than that.
            return course.finish(failed);
        }
        let (Some(wait), Some(next)) = (course.wait_after(&mut retries, &result), spare) else {
            return course.finish(result);
        };
        failed = unless_open(result);
        sleep(wait).await;
        step = Step { attempt: step.attempt.saturating_add(1), wait };
        request = next;
    }
}

fn is_refused(result: &Result<Response, Error>) -> bool {
    matches!(judge(result).outcome(), Outcome::Refused { .. })
}

/// A failure to be kept during a wait, unless its body is still to come: the connection of an unread answer is given
/// back before the wait, not after it.
fn unless_open(failed: Result<Response, Error>) -> Option<Result<Response, Error>> {
    let open = failed.as_ref().is_ok_and(|response| response.body().as_bytes().is_none());
    (!open).then_some(failed)
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

    /// One attempt. Without any time left it is none: nothing is sent, and nobody is told that it was.
    async fn attempt<S: Upstream>(
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
    fn late(&self) -> Result<Response, Error> {
        let phase = Phase::Deadline;
        self.emit(Event::TimedOut { phase, after: Duration::ZERO });
        Err(Error::new(Outcome::TimedOut { phase }))
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
    fn finish(&self, result: Result<Response, Error>) -> Result<Response, Error> {
        let mut response = result.map_err(|error| error.with_journey(&self.journey))?;
        if response.extensions().get::<Journey>().is_none() {
            response.extensions_mut().insert(self.journey.clone());
        }
        Ok(response)
    }

    pub(super) fn emit(&self, event: Event) {
        self.shared.events.emit(event);
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

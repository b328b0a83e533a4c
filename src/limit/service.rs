//! The limits as a layer.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, SystemTime},
};

use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower::{Layer, Service};

use super::{
    LimitPolicy, Limits,
    adaptive::Form,
    gate::Report,
    headers,
    limiter::{Asking, Entry, Limiter, Permit},
    queued::Queued,
    tokens::Size,
};
use crate::{
    Error, Request, Response, Upstream,
    context::{Call, Deadline, Priority, Route},
    dialect::Usage,
    error::judge,
    outcome::Outcome,
    stream::FirstContentAt,
    telemetry::{Event, Events},
    upstream::{ResponseFuture, take_ready},
};

/// Puts the limits of each route in front of a service. Made by [`LimitPolicy::build`].
#[derive(Clone, Debug)]
pub struct LimitLayer {
    limits: Limits,
}

/// A service behind the limits of each route.
#[derive(Clone, Debug)]
pub struct Limit<S> {
    inner: S,
    limits: Limits,
}

pin_project! {
    /// A call that was let through, waits for it, or was refused.
    pub struct LimitFuture<F> {
        #[pin]
        fate: Fate<F>,
    }
}

pin_project! {
    #[project = FateProj]
    enum Fate<F> {
        Sent {
            #[pin]
            inner: F,
            // Taken by the end.
            leave: Option<(Passage, Permit)>,
        },
        Waits { way: Way },
        Refused { error: Option<Error> },
    }
}

/// The way of a call that waits.
type Way = ResponseFuture;

/// One call on its way through.
struct Passage {
    limits: Limits,
    limiter: Arc<Limiter>,
    route: Route,
    size: Size,
    form: Form,
}

// === impl LimitLayer ===

impl LimitLayer {
    pub(super) fn new(policy: LimitPolicy) -> Self {
        Self { limits: Limits::new(policy) }
    }

    /// Sends events to that listener; the first one stays.
    #[must_use]
    pub fn events(self, events: Events) -> Self {
        self.limits.tell(events);
        self
    }

    /// The limits of all services that this layer makes.
    pub fn handle(&self) -> Limits {
        self.limits.clone()
    }
}

impl<S> Layer<S> for LimitLayer {
    type Service = Limit<S>;

    fn layer(&self, inner: S) -> Limit<S> {
        Limit { inner, limits: self.limits.clone() }
    }
}

// === impl Limit ===

impl<S: Upstream> Service<Request> for Limit<S> {
    type Response = Response;
    type Error = Error;
    type Future = LimitFuture<S::Call>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let (now, route) = (Instant::now(), Call::route(&mut request));
        let limiter = self.limits.at(&route, now);
        let ask = Call::ask(&mut request);
        let size = if limiter.estimates() { Size::of(&request, &ask) } else { Size::any(&ask) };
        let form = if ask.stream() { Form::Stream } else { Form::Whole };
        let passage = Passage { limits: self.limits.clone(), limiter, route, size, form };
        let asking = passage.asking(&mut request);
        let fate = match passage.limiter.enter(asking, now, fastrand::f64()) {
            Entry::Go(permit) => {
                Fate::Sent { inner: self.inner.call(request), leave: Some((passage, permit)) }
            }
            Entry::Refused(retry_in) => Fate::Refused { error: Some(passage.refuse(retry_in)) },
            Entry::Wait(queued, expected) => {
                let inner = take_ready(&mut self.inner);
                Fate::Waits { way: Box::pin(passage.go(inner, request, (queued, expected))) }
            }
        };
        LimitFuture { fate }
    }
}

// === impl LimitFuture ===

impl<F: Future<Output = Result<Response, Error>>> Future for LimitFuture<F> {
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().fate.project() {
            FateProj::Sent { inner, leave } => {
                let mut result = ready!(inner.poll(cx));
                if let Some((passage, permit)) = leave.take() {
                    passage.report(permit, &mut result);
                }
                Poll::Ready(result)
            }
            FateProj::Waits { way } => way.as_mut().poll(cx),
            FateProj::Refused { error } => {
                Poll::Ready(Err(error.take().expect("a future is not polled after it was ready")))
            }
        }
    }
}

impl<F> fmt::Debug for LimitFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitFuture").finish_non_exhaustive()
    }
}

// === impl Passage ===

impl Passage {
    /// Goes after a wait of about `expected`.
    async fn go<S: Upstream>(
        self,
        mut inner: S,
        mut request: Request,
        (queued, expected): (Queued, Duration),
    ) -> Result<Response, Error> {
        let permit = self.turn(&mut request, (queued, expected)).await?;
        let mut result = inner.call(request).await;
        self.report(permit, &mut result);
        result
    }

    /// Leave to go, after a wait.
    async fn turn(
        &self,
        request: &mut Request,
        (queued, expected): (Queued, Duration),
    ) -> Result<Permit, Error> {
        let route = self.route.clone();
        self.limits.emit(Event::LimitQueued { route, expected });
        let Call { turn, queue_time, .. } = Call::of(request).clone();
        if let Some(turn) = &turn {
            turn.waits();
        }
        let waiting = queue_time.map(|time| time.enter());
        let permit = queued.await.map_err(|retry_in| self.refuse(retry_in))?;
        drop(waiting);
        // The route may have been closed by its breaker meanwhile.
        match turn.map_or(Ok(()), |turn| turn.goes_on(Instant::now())) {
            Ok(()) => Ok(permit),
            Err(retry_in) => {
                permit.decide(|gate, leave| gate.forget(leave));
                Err(self.refuse(retry_in))
            }
        }
    }

    fn asking(&self, request: &mut Request) -> Asking {
        let ask = Call::ask(request);
        let priority = request.extensions().get::<Priority>().copied().unwrap_or_default();
        let cost = self.limiter.decide(|gate| gate.estimate(self.size, &ask, priority));
        let call = Call::of(request);
        let deadline = call.deadline.map(Deadline::instant);
        // A breaker's probe that waits holds back all that wait for what it finds.
        Asking { priority, cost, deadline, patient: !call.probe }
    }

    fn refuse(&self, retry_in: Duration) -> Error {
        self.limits.emit(Event::LimitRefused { route: self.route.clone(), retry_in });
        Error::new(Outcome::NotSent { retry_in: Some(retry_in) })
    }

    /// Takes note of what an attempt came to; the permit is held until the body has ended.
    fn report(&self, permit: Permit, result: &mut Result<Response, Error>) {
        let (now, outcome) = (Instant::now(), judge(result).outcome());
        let shared = permit.is_shared();
        let told = match result {
            Ok(response) if !shared => headers::read(response.headers(), SystemTime::now),
            _ => Vec::new(),
        };
        let first = result.as_ref().ok().and_then(|it| it.extensions().get::<FirstContentAt>());
        let first = first.map_or(now, |first| first.0);
        let closed = permit.decide(|gate, leave| {
            gate.news(leave, &told, now);
            let random = fastrand::f64();
            let limited = matches!(outcome, Outcome::RateLimited { .. });
            let outcome =
                if shared && limited { Outcome::NotSent { retry_in: None } } else { outcome };
            gate.came_to(leave, Report { outcome, first, form: self.form, now, random })
        });
        if let Some(lasts) = closed {
            self.limits.emit(Event::LimitClosed { route: self.route.clone(), lasts });
        }
        let Ok(response) = result else { return };
        let (size, usage) = (self.size, response.extensions().get::<Usage>().cloned());
        response.body_mut().on_end(move |_| {
            if outcome.is_success() {
                permit
                    .decide(|gate, leave| gate.cost(leave, size, usage.and_then(|it| it.tokens())));
            }
        });
    }
}

//! The deadline layer: one limit for all attempts, waits and fallbacks of a call.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower::{Layer, Service};

use super::{DeadlinePolicy, timed::Timed};
use crate::{
    ConfigError, Error, Request, Response, Upstream,
    cold_start::{ColdStarts, ModelLoad},
    context::{AttemptContext, AttemptLog, CallContext, Deadline, Fallbacks},
    error::judge,
    outcome::{Outcome, Phase, Rejection},
    telemetry::{EventKind, EventSink},
    time::saturating_add,
};

/// A service that sets the deadline of a call and ends the call at it.
#[derive(Clone, Debug)]
pub struct DeadlineService<S> {
    inner: S,
    layer: DeadlineLayer,
}

/// A layer that creates [`DeadlineService`]s.
#[derive(Clone, Debug)]
pub struct DeadlineLayer {
    policy: DeadlinePolicy,
    events: EventSink,
    cold_starts: ColdStarts,
}

pin_project! {
    /// The future of a call with a deadline.
    pub struct DeadlineFuture<F> {
        #[pin]
        within: Timed<F>,
        // Both are taken at the end.
        call: Option<Bounded>,
        refused: Option<Error>,
    }
}

struct Bounded {
    attempt_log: AttemptLog,
    events: EventSink,
    after: Duration,
    load: Option<ModelLoad>,
}

// === impl DeadlinePolicy ===

impl DeadlinePolicy {
    /// Builds the layer.
    ///
    /// # Errors
    ///
    /// If the limit is zero: it would refuse every call.
    pub fn build(self) -> Result<DeadlineLayer, ConfigError> {
        self.check()?;
        Ok(DeadlineLayer::new(self))
    }
}

// === impl DeadlineLayer ===

impl DeadlineLayer {
    pub(super) fn new(policy: DeadlinePolicy) -> Self {
        Self { policy, events: EventSink::default(), cold_starts: ColdStarts::new() }
    }

    /// Sets the sink for the events of the layer. The last sink set is used; without one, events only go to `tracing`.
    #[must_use]
    pub fn events(mut self, events: EventSink) -> Self {
        self.events = events;
        self
    }

    /// Keeps what another layer knows of models that have to be loaded: which of them have answered lately.
    #[must_use]
    pub fn state_of(mut self, other: &Self) -> Self {
        self.cold_starts = other.cold_starts.clone();
        self
    }

    /// The deadline of a call: the caller's own, which may be sooner or later than the policy's, since only the caller knows how
    /// long this call may take; else the policy's, or that of an outer call if it is sooner.
    fn deadline(
        &self,
        request: &mut Request,
        told: Option<Deadline>,
        limit: Duration,
        now: Instant,
    ) -> Deadline {
        let usual = || Deadline::at(saturating_add(now, limit));
        let own = request.extensions().get::<Deadline>().copied();
        let call = CallContext::of(request);
        let deadline = match (call.deadline.or(own), own, told) {
            (Some(set), _, Some(told)) => set.min(told),
            (None, _, Some(told)) => told,
            (Some(set), Some(_), None) => set,
            (Some(outer), None, None) => outer.min(usual()),
            (None, _, None) => usual(),
        };
        call.deadline = Some(deadline);
        deadline
    }

    /// The state of the model that the call is for, if its server may load models and the policy allows for that. A call with
    /// fallbacks of its own is answered by them in time.
    fn load(&self, request: &mut Request, now: Instant) -> Option<ModelLoad> {
        self.policy.cold_start?;
        if request.extensions().get::<Fallbacks>().is_some() {
            return None;
        }
        self.cold_starts.load(request, AttemptContext::addressed, now)
    }

    /// The time limit of a call.
    fn limit(&self, load: Option<&ModelLoad>) -> Duration {
        let cold = self.policy.cold_start.filter(|_| load.is_some_and(ModelLoad::is_cold));
        self.policy.limit.max(cold.unwrap_or_default())
    }

    /// Takes the deadline out of its header.
    fn deadline_from_header(&self, request: &mut Request) -> Result<Option<Deadline>, Error> {
        let header = self.policy.header.as_ref();
        let Some((name, value)) = header.and_then(|n| Some((n, request.headers_mut().remove(n)?)))
        else {
            return Ok(None);
        };
        let ms = value.to_str().ok().and_then(|text| text.trim().parse().ok());
        match ms.filter(|ms| *ms > 0) {
            Some(ms) => Ok(Some(Deadline::within(Duration::from_millis(ms)))),
            None => {
                let allowed = "a whole number of milliseconds, 1 or more";
                let why = ConfigError::new(name.as_str(), value, allowed);
                let outcome = Outcome::Rejected { why: Rejection::Request };
                Err(Error::new(outcome).with_source(why))
            }
        }
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = DeadlineService<S>;

    fn layer(&self, inner: S) -> DeadlineService<S> {
        DeadlineService { inner, layer: self.clone() }
    }
}

// === impl DeadlineService ===

impl<S: Upstream> Service<Request> for DeadlineService<S> {
    type Response = Response;
    type Error = Error;
    type Future = DeadlineFuture<S::Call>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let (told, refused) = match self.layer.deadline_from_header(&mut request) {
            Ok(told) => (told, None),
            Err(error) => (None, Some(error)),
        };
        let now = Instant::now();
        let load = self.layer.load(&mut request, now);
        let limit = self.layer.limit(load.as_ref());
        let deadline = self.layer.deadline(&mut request, told, limit, now);
        let call = Bounded {
            attempt_log: CallContext::of(&mut request).attempt_log.clone(),
            events: self.layer.events.clone(),
            after: deadline.left(now),
            load,
        };
        // The call is made even without any time left: a stored or canned answer needs none, and no attempt is started without
        // it.
        let inner = refused.is_none().then(|| self.inner.call(request));
        let within = Timed::new(inner, deadline.instant());
        DeadlineFuture { within, call: Some(call), refused }
    }
}

// === impl DeadlineFuture ===

impl<F: Future<Output = Result<Response, Error>>> Future for DeadlineFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if let Some(error) = this.refused.take() {
            return Poll::Ready(Err(error));
        }
        let result = ready!(this.within.poll(cx));
        let call = this.call.take();
        Poll::Ready(match result {
            Ok(result) => {
                if let Some(load) = call.and_then(|call| call.load).filter(|_| is_answer(&result)) {
                    load.answered(Instant::now());
                }
                result
            }
            Err(_) => Err(call.map_or_else(timed_out, Bounded::elapsed)),
        })
    }
}

impl<F> fmt::Debug for DeadlineFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadlineFuture").finish_non_exhaustive()
    }
}

// === impl Bounded ===

impl Bounded {
    fn elapsed(self) -> Error {
        let Self { attempt_log, events, after, load: _ } = self;
        events.emit(EventKind::TimedOut { phase: Phase::Deadline, after });
        timed_out().with_attempt_log(&attempt_log)
    }
}

fn is_answer(result: &Result<Response, Error>) -> bool {
    judge(result).outcome().is_success()
}

fn timed_out() -> Error {
    Error::new(Outcome::TimedOut { phase: Phase::Deadline })
}

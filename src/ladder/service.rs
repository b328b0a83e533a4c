//! Goes down the ladder.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderName, HeaderValue};
use tokio::time::{Instant, timeout_at};
use tower::{Layer, Service};

use super::{Fallbacks, LadderPolicy, Rung, rung::Failed, rung::Kind};
use crate::{
    Error, Request, Response, Upstream,
    classify::{Outcome, Phase, Rejection, judge},
    context::Call,
    dialect::Ask,
    telemetry::{Event, Events, Skip},
    upstream::take_ready,
};

/// The rung that answered, in the headers of an answer that is not the first rung's.
pub(crate) const RUNG: HeaderName = HeaderName::from_static("evenkeel-rung");
/// The attempts that were sent, in the headers of an answer that is not the first rung's.
pub(crate) const ATTEMPTS: HeaderName = HeaderName::from_static("evenkeel-attempts");

/// Tries rung after rung. See [the module](super).
#[derive(Clone, Debug)]
pub struct Ladder<S> {
    inner: S,
    policy: Arc<LadderPolicy>,
    events: Events,
}

/// Wraps a service into a [`Ladder`].
#[derive(Clone, Debug)]
pub struct LadderLayer {
    policy: Arc<LadderPolicy>,
    events: Events,
}

/// The failure of the first rung, and what the last one came to.
struct Failure {
    first: Result<Response, Error>,
    last: Outcome,
    at: usize,
}

// === impl LadderLayer ===

impl LadderLayer {
    pub(super) fn new(policy: LadderPolicy) -> Self {
        Self { policy: Arc::new(policy), events: Events::default() }
    }

    /// Sends the events there as well.
    #[must_use]
    pub fn events(mut self, events: Events) -> Self {
        self.events = events;
        self
    }
}

impl<S> Layer<S> for LadderLayer {
    type Service = Ladder<S>;

    fn layer(&self, inner: S) -> Ladder<S> {
        Ladder { inner, policy: self.policy.clone(), events: self.events.clone() }
    }
}

// === impl Ladder ===

impl<S: Upstream> Service<Request> for Ladder<S> {
    type Response = Response;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let inner = take_ready(&mut self.inner);
        let ladder = Self { inner, policy: self.policy.clone(), events: self.events.clone() };
        Box::pin(ladder.descend(request))
    }
}

impl<S: Upstream> Ladder<S> {
    async fn descend(mut self, mut request: Request) -> Result<Response, Error> {
        let policy = match request.extensions().get::<Fallbacks>() {
            Some(own) => Arc::new(self.policy.with(own)),
            None => self.policy.clone(),
        };
        // The time that is kept back counts the rungs of this call.
        self.policy = policy.clone();
        let ask = Call::ask(&mut request);
        let last = policy.rungs.len() - 1;
        let mut failure: Option<Failure> = None;
        let mut request = Some(request);
        for (at, rung) in policy.rungs.iter().enumerate() {
            let Some(original) = request.as_mut() else { break };
            if let Some(failure) = &failure {
                if let Err(why) = fits(rung, &ask, original, (failure, &policy)) {
                    let name = rung.name.clone();
                    self.events.emit(Event::RungSkipped { rung: at as u16, name, why });
                    continue;
                }
            }
            // The last rung needs no copy of the request.
            let copy = if at == last { request.take() } else { request.clone() };
            let Some(copy) = copy else { break };
            let result = self.step((at, rung), copy, &ask).await;
            let outcome = judge(&result).outcome();
            if outcome.is_success() || stops(outcome, at) {
                return result;
            }
            failure = Some(match failure {
                Some(failure) => Failure { last: outcome, at, ..failure },
                None => Failure { first: result, last: outcome, at },
            });
        }
        match failure {
            Some(failure) => failure.first,
            // Not reached: the first rung is always asked.
            None => Err(Error::new(Outcome::Refused { retry_in: None })),
        }
    }

    /// Asks one rung, within the time it has.
    async fn step(
        &mut self,
        (at, rung): (usize, &Rung),
        mut request: Request,
        ask: &Ask,
    ) -> Result<Response, Error> {
        self.events.emit(Event::RungEntered { rung: at as u16, name: rung.name.clone() });
        let call = Call::of(&mut request);
        call.rung = at as u16;
        call.name = Some(rung.name.clone());
        let journey = call.journey.clone();
        let result = match &rung.kind {
            Kind::Canned(canned) => canned
                .answer(&request, ask)
                .ok_or_else(|| Error::new(Outcome::Refused { retry_in: None })),
            Kind::Addressed | Kind::Target(_) => self.ask(at, rung.request(request, ask)).await,
        };
        let mut response = result?;
        if at > 0 {
            let attempts = HeaderValue::from(journey.sent());
            response.headers_mut().insert(RUNG, rung.header());
            response.headers_mut().insert(ATTEMPTS, attempts);
        }
        if judge_success(&response) {
            journey.answered_by(rung.name.clone());
        }
        Ok(response)
    }

    async fn ask(&mut self, at: usize, mut request: Request) -> Result<Response, Error> {
        let call = Call::of(&mut request);
        let Some(deadline) = call.deadline else {
            return self.send(request).await;
        };
        let left = deadline.left(Instant::now());
        let mine = deadline.less(self.policy.reserve(at, left));
        call.deadline = Some(mine);
        match timeout_at(mine.instant(), self.send(request)).await {
            Ok(result) => result,
            Err(_) => Err(Error::new(Outcome::TimedOut { phase: Phase::Deadline })),
        }
    }

    async fn send(&mut self, request: Request) -> Result<Response, Error> {
        let fresh = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, fresh);
        std::future::poll_fn(|cx| ready.poll_ready(cx)).await?;
        ready.call(request).await
    }
}

fn judge_success(response: &Response) -> bool {
    match response.extensions().get::<crate::classify::Verdict>() {
        Some(verdict) => verdict.outcome().is_success(),
        None => response.status().is_success(),
    }
}

/// Whether the call ends with this failure. On the first rung that is for the outcome to say. Below it a request that a
/// target finds wrong may be right for the next one: the first took no offence.
fn stops(outcome: Outcome, at: usize) -> bool {
    let elsewhere = at > 0 && outcome == Outcome::Rejected { why: Rejection::Request };
    !outcome.moves_down() && !elsewhere
}

/// Whether a rung is for this failure, and there is time for it.
fn fits(
    rung: &Rung,
    ask: &Ask,
    request: &mut Request,
    (failure, policy): (&Failure, &LadderPolicy),
) -> Result<(), Skip> {
    let offers = &policy.rungs[failure.at].offers;
    rung.takes(ask, Failed { outcome: failure.last, offers })?;
    let call = Call::of(request);
    if rung.is_instant() {
        return Ok(());
    }
    if call.once {
        return Err(Skip::Once);
    }
    match call.deadline {
        Some(deadline) if deadline.left(Instant::now()).is_zero() => Err(Skip::Deadline),
        _ => Ok(()),
    }
}

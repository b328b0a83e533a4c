//! The service behind the limits.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower::Service;

use super::{
    adaptive::AnswerForm,
    context::{LimitContext, Wait},
    enter::EnterResult,
    limits::Limits,
    request_size::RequestSize,
    route_limiter::Permit,
    state::DecisionInput,
};
use crate::{
    Error, Request, Response, Upstream,
    context::{AttemptContext, CallContext},
    upstream::{ResponseFuture, take_ready},
};

/// A service behind the limits of each route. Created by [`LimitLayer`](super::LimitLayer).
#[derive(Clone, Debug)]
pub struct Limit<S> {
    pub(super) inner: S,
    pub(super) limits: Limits,
}

pin_project! {
    /// The response future of [`Limit`].
    pub struct LimitFuture<F> {
        #[pin]
        state: LimitFutureState<F>,
    }
}

pin_project! {
    #[project = LimitFutureStateProj]
    enum LimitFutureState<F> {
        Sent {
            #[pin]
            inner: F,
            // Taken when the inner future is ready.
            admitted: Option<AdmittedCall>,
        },
        Queued { response: ResponseFuture },
        Refused { error: Option<Error> },
    }
}

/// A call that was admitted without a wait.
struct AdmittedCall {
    context: LimitContext,
    permit: Permit,
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
        let now = Instant::now();
        let at = AttemptContext::state(&mut request, self.limits.routes(), now);
        let (limiter, route) = (self.limits.limiter(&at, now), at.route().clone());
        let info = CallContext::info(&mut request);
        let size = match limiter.needs_estimates() {
            true => RequestSize::measure(&request, &info),
            false => RequestSize::unmeasured(&info),
        };
        let form = if info.stream() { AnswerForm::Stream } else { AnswerForm::Unary };
        let context = LimitContext { limits: self.limits.clone(), limiter, route, size, form };
        let enter = context.enter_request(&mut request);
        let input = DecisionInput { now, random: fastrand::f64() };
        let state = match context.limiter.enter(enter, input) {
            EnterResult::Admitted(permit) => {
                let admitted = Some(AdmittedCall { context, permit });
                LimitFutureState::Sent { inner: self.inner.call(request), admitted }
            }
            EnterResult::Refused { retry_in } => {
                LimitFutureState::Refused { error: Some(context.refuse(retry_in)) }
            }
            EnterResult::Queued { call, expected } => {
                let inner = take_ready(&mut self.inner);
                let response = Box::pin(context.send(inner, request, Wait { call, expected }));
                LimitFutureState::Queued { response }
            }
        };
        LimitFuture { state }
    }
}

// === impl LimitFuture ===

impl<F: Future<Output = Result<Response, Error>>> Future for LimitFuture<F> {
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            LimitFutureStateProj::Sent { inner, admitted } => {
                let mut result = ready!(inner.poll(cx));
                if let Some(AdmittedCall { context, permit }) = admitted.take() {
                    context.report(permit, &mut result);
                }
                Poll::Ready(result)
            }
            LimitFutureStateProj::Queued { response } => response.as_mut().poll(cx),
            LimitFutureStateProj::Refused { error } => {
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

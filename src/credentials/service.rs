//! The layer that authorizes attempts.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::attempt::AuthorizedAttempt;
use crate::{
    Error, Request, Response, Upstream,
    target::credentials::AttemptCredentials,
    telemetry::EventSink,
    upstream::{ResponseFuture, take_ready},
};

/// A layer that wraps services into [`CredentialService`].
#[derive(Clone, Debug, Default)]
pub struct CredentialLayer {
    events: EventSink,
}

/// A service that sets the credentials of an attempt whose target has a source of them. See [the module](super).
#[derive(Clone, Debug)]
pub struct CredentialService<S> {
    inner: S,
    events: EventSink,
}

pin_project! {
    /// The future of an attempt; without a source it is that of the service below.
    pub struct CredentialFuture<F> {
        #[pin]
        kind: Kind<F>,
    }
}

pin_project! {
    #[project = KindProject]
    enum Kind<F> {
        Passed { #[pin] inner: F },
        Authorized { inner: ResponseFuture },
    }
}

// === impl CredentialLayer ===

impl CredentialLayer {
    /// Sets the sink for the events of the layer. The last sink set is used; without one, events only go to `tracing`.
    #[must_use]
    pub fn events(mut self, events: EventSink) -> Self {
        self.events = events;
        self
    }
}

impl<S> Layer<S> for CredentialLayer {
    type Service = CredentialService<S>;

    fn layer(&self, inner: S) -> CredentialService<S> {
        CredentialService { inner, events: self.events.clone() }
    }
}

// === impl CredentialService ===

impl<S: Upstream> Service<Request> for CredentialService<S> {
    type Response = Response;
    type Error = Error;
    type Future = CredentialFuture<S::Call>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let kind = match AttemptCredentials::take(&mut request) {
            None => Kind::Passed { inner: self.inner.call(request) },
            Some(credentials) => {
                let (service, events) = (take_ready(&mut self.inner), self.events.clone());
                let attempt = AuthorizedAttempt { credentials, events };
                Kind::Authorized { inner: Box::pin(attempt.run(service, request)) }
            }
        };
        CredentialFuture { kind }
    }
}

// === impl CredentialFuture ===

impl<F: Future<Output = Result<Response, Error>>> Future for CredentialFuture<F> {
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind.project() {
            KindProject::Passed { inner } => inner.poll(cx),
            KindProject::Authorized { inner } => inner.as_mut().poll(cx),
        }
    }
}

impl<F> fmt::Debug for CredentialFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialFuture")
    }
}

//! The layer that authorizes attempts.

use std::task::{Context, Poll};

use tower::{Layer, Service};

use super::attempt::AuthorizedAttempt;
use crate::{
    Error, Request, Response, Upstream,
    target::credentials::AttemptCredentials,
    telemetry::EventSink,
    upstream::{AttemptFuture, take_ready},
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
    type Future = AttemptFuture<S::Call>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        match AttemptCredentials::take(&mut request) {
            None => AttemptFuture::passed(self.inner.call(request)),
            Some(credentials) => {
                let attempt = AuthorizedAttempt { credentials, events: self.events.clone() };
                AttemptFuture::own(attempt.run(take_ready(&mut self.inner), request))
            }
        }
    }
}

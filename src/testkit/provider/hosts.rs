//! Several providers behind one transport.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tower::Service;

use crate::{Error, Request, Response, classify::Outcome, testkit::Provider};

/// Several providers behind one transport: each is at the host of its name, as `http://primary/v1/…`.
///
/// A host that nobody has is unreachable.
#[derive(Clone, Debug, Default)]
pub struct Hosts(Vec<Provider>);

// === impl Hosts ===

impl Hosts {
    /// These providers.
    pub fn new(providers: impl IntoIterator<Item = Provider>) -> Self {
        Self(providers.into_iter().collect())
    }
}

impl Service<Request> for Hosts {
    type Response = Response;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let host = request.uri().host().unwrap_or_default();
        match self.0.iter_mut().find(|provider| provider.name() == host) {
            Some(provider) => provider.call(request),
            None => Box::pin(async {
                let source = io::Error::new(io::ErrorKind::NotFound, "no such host");
                Err(Error::new(Outcome::Unreachable).with_source(source))
            }),
        }
    }
}

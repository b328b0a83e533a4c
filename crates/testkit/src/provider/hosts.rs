//! Several providers behind one transport.

use std::{
    io,
    task::{Context, Poll},
};

use evenkeel::{Error, Request, Response, outcome::Outcome, upstream::ResponseFuture};
use tower::Service;

use crate::{Provider, provider::line::Lines};

/// Several providers behind one transport: each is at the host of its name, as `http://primary/v1/…`.
///
/// A host that nobody has is unreachable.
#[derive(Clone, Debug, Default)]
pub struct Hosts(Vec<Host>);

#[derive(Clone, Debug)]
struct Host {
    provider: Provider,
    /// The connections that are kept to it, where any are.
    lines: Option<Lines>,
}

// === impl Hosts ===

impl Hosts {
    /// These providers. Each request goes out on a new connection.
    pub fn new(providers: impl IntoIterator<Item = Provider>) -> Self {
        let host = |provider| Host { provider, lines: None };
        Self(providers.into_iter().map(host).collect())
    }

    /// Keeps connections, as clients on sockets do: each that has carried a whole answer is kept for 50 s, at most 256 to
    /// each provider, and the one that was kept last carries the next request. Clones have them in common.
    ///
    /// What was kept when a node of the provider is replaced (see [`Incident`](crate::Incident)) is dead: the next
    /// request on each is reset, and reaches no provider. [`Reconnect::around`](https://docs.rs/evenkeel/latest/evenkeel/adapter/struct.Reconnect.html)
    /// knows these connections as it knows those of sockets.
    #[must_use]
    pub fn keeping_connections(mut self) -> Self {
        for host in &mut self.0 {
            host.lines = Some(Lines::default());
        }
        self
    }
}

impl Service<Request> for Hosts {
    type Response = Response;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let host = request.uri().host().unwrap_or_default();
        match self.0.iter_mut().find(|it| it.provider.name() == host) {
            Some(Host { provider, lines: None }) => provider.call(request),
            Some(Host { provider, lines: Some(lines) }) => {
                Box::pin(lines.clone().send(provider.clone(), request))
            }
            None => Box::pin(async {
                let source = io::Error::new(io::ErrorKind::NotFound, "no such host");
                Err(Error::new(Outcome::Unreachable).with_source(source))
            }),
        }
    }
}

//! Several providers behind one transport.

use std::{
    io,
    task::{Context, Poll},
};

use evenkeel::{Error, Request, Response, outcome::Outcome, upstream::ResponseFuture};
use tower::Service;

use crate::{Provider, provider::connection_pool::ConnectionPool};

/// Several providers behind one transport. The host of a URL is the name of its provider: `http://primary/v1/…`.
///
/// Every other host is unreachable.
#[derive(Clone, Debug, Default)]
pub struct Hosts(Vec<Host>);

#[derive(Clone, Debug)]
struct Host {
    provider: Provider,
    /// The idle connections to it, if connections are reused.
    pool: Option<ConnectionPool>,
}

// === impl Hosts ===

impl Hosts {
    /// A transport to these providers. Each request is sent on a new connection.
    pub fn new(providers: impl IntoIterator<Item = Provider>) -> Self {
        let host = |provider| Host { provider, pool: None };
        Self(providers.into_iter().map(host).collect())
    }

    /// Reuses connections, as clients with sockets do. A connection is idle for up to 50 s after a whole answer, at most 256
    /// connections to each provider. The last idle connection carries the next request. Clones share the connections.
    ///
    /// When a node of the provider is replaced (see [`Incident`](crate::Incident)), its idle connections are dead: the next
    /// request on each of them is reset and does not reach the provider. evenkeel's
    /// [`Reconnect`](https://docs.rs/evenkeel/latest/evenkeel/adapter/struct.Reconnect.html) sends such a request again, as with
    /// sockets.
    #[must_use]
    pub fn reusing_connections(mut self) -> Self {
        for host in &mut self.0 {
            host.pool = Some(ConnectionPool::default());
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
        match self.0.iter_mut().find(|known| known.provider.name() == host) {
            Some(Host { provider, pool: None }) => provider.call(request),
            Some(Host { provider, pool: Some(pool) }) => {
                Box::pin(pool.clone().send(provider.clone(), request))
            }
            None => Box::pin(async {
                let source = io::Error::new(io::ErrorKind::NotFound, "no such host");
                Err(Error::new(Outcome::Unreachable).with_source(source))
            }),
        }
    }
}

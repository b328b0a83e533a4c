//! reqwest as the transport.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use tower::Service;

use super::{
    reconnect::Reconnect,
    wire::{self, Plain},
};
use crate::{ConfigError, Error, Request, Response, upstream::ResponseFuture};

/// A [`reqwest::Client`] as an [`Upstream`](crate::Upstream): one request on the wire for each call, and a second one if a kept
/// connection was dead (see [`Reconnect`]).
#[derive(Clone, Debug)]
pub struct Reqwest {
    client: Reconnect<Plain>,
}

// === impl Reqwest ===

impl Reqwest {
    /// Builds a client: `connect` bounds connecting. reqwest's retries are off, so that evenkeel makes and counts every attempt,
    /// and redirects are not followed, so that no credential follows one. TLS is that of your `reqwest`.
    ///
    /// A dead kept connection costs the caller nothing: see [`Reconnect`].
    ///
    /// # Defaults
    ///
    /// * an idle connection is kept for 50 s: less than the 60 s of AWS load balancers and the 75 s of nginx, so that this side
    ///   closes it first
    /// * TCP keep-alive after 15 s of silence, every 15 s, given up after 3: as in Go and reqwest, and well within the 4 min
    ///   after which an Azure load balancer drops a silent connection
    /// * a connection ends if sent data is not acknowledged within 5 s, or within `connect` if that is longer
    ///   (`TCP_USER_TIMEOUT`, on Linux): as long as a new connection may take
    /// * feature `http2`: while requests are under way a ping every 10 s, answered within 5 s: a dead connection is detected
    ///   before the 20 s of an attempt, and 10 s is the minimum that gRPC servers accept
    ///
    /// # Errors
    ///
    /// If reqwest cannot initialise its TLS or its resolver.
    pub fn new(connect: Duration) -> Result<Self, ConfigError> {
        let build = |idle: usize| match Self::builder(connect).pool_max_idle_per_host(idle).build()
        {
            Ok(client) => Ok(Plain(client)),
            Err(error) => {
                Err(ConfigError::new("transport", error, "a reqwest client that can be built"))
            }
        };
        let pools = [build(usize::MAX)?, build(usize::MAX)?];
        Ok(Self { client: Reconnect::with_pools(pools, build(0)?) })
    }

    /// The builder of the clients that [`new`](Self::new) uses, for a client of your own that keeps its connections as well.
    pub fn builder(connect: Duration) -> reqwest::ClientBuilder {
        wire::builder(connect)
    }

    /// Uses an existing client. Its `connect_timeout` is the connect timeout; its retries and its total timeout should be off.
    ///
    /// A kept connection that breaks before any byte of an answer is recovered from (see [`Reconnect`]); a silent one counts as a
    /// silent provider. So its `tcp_keepalive` and its `pool_idle_timeout` should be on, as they are by default.
    ///
    /// evenkeel does not see what the client does by itself: its default headers go to every target, also to other hosts, and a
    /// redirect to another host carries all headers of a request except `authorization` and cookies. So put no key into its
    /// default headers, and turn its redirects off.
    pub fn from_client(client: reqwest::Client) -> Self {
        Self { client: Reconnect::new(Plain(client)) }
    }
}

impl Service<Request> for Reqwest {
    type Response = Response;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        // reqwest is always ready: it queues inside.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        self.client.call(request)
    }
}

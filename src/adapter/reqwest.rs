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

/// A [`reqwest::Client`] as an [`Upstream`](crate::Upstream): one request on the wire for each call, and a second one where
/// a kept connection was dead (see [`Reconnect`]).
#[derive(Clone, Debug)]
pub struct Reqwest {
    client: Reconnect<Plain>,
}

// === impl Reqwest ===

impl Reqwest {
    /// A client of our own: `connect` bounds connecting, reqwest's retries are off so that every attempt is ours and is
    /// counted, and redirects are not followed, so that no credential follows one. TLS is whatever your `reqwest` has.
    ///
    /// A kept connection that is dead costs the caller nothing: see [`Reconnect`].
    ///
    /// # Defaults
    ///
    /// * a connection is kept idle for 50 s: less than the 60 s of AWS load balancers and the 75 s of nginx, so that it is
    ///   this side that closes it
    /// * TCP keep-alive after 15 s of silence, every 15 s, given up after 3: as Go and reqwest do, and well within the
    ///   4 min after which an Azure load balancer forgets a silent connection
    /// * what was sent and is not acknowledged within 5 s, or within `connect` where that is longer, ends the connection
    ///   (`TCP_USER_TIMEOUT`, on Linux): as long as a new connection may take
    /// * feature `http2`: while requests are under way a ping every 10 s, answered within 5 s: a dead connection is found
    ///   before the 20 s of an attempt, and 10 s is the least that gRPC servers accept
    ///
    /// # Errors
    ///
    /// When reqwest cannot start its TLS or its resolver.
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

    /// The builder of a client as [`new`](Self::new) makes them, for one of yours that keeps its connections as well.
    pub fn builder(connect: Duration) -> reqwest::ClientBuilder {
        wire::builder(connect)
    }

    /// A client of yours. Its `connect_timeout` is the connect limit; its retries and its total timeout should be off.
    ///
    /// A kept connection that breaks before anything of an answer came is made up for (see [`Reconnect`]); one that is
    /// silent counts as a silent provider. So its `tcp_keepalive` and its `pool_idle_timeout` should be on, as they are by
    /// default.
    ///
    /// What it does by itself is out of evenkeel's sight: its default headers go to every target, also to other hosts,
    /// and of the headers of a request a redirect takes all but `authorization` and cookies to other hosts. So put no
    /// key into its default headers, and switch its redirects off.
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

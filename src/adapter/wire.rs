//! Sends one request by a reqwest client; and builds the client, with the settings that keep connections alive and detect dead
//! ones.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use reqwest::{ClientBuilder, redirect, retry};
use tower::Service;

use super::{
    convert::{from_wire, to_wire},
    dialed::DialedLayer,
    errors::failed,
};
use crate::{Error, Request, Response, upstream::ResponseFuture};

/// Sends one request on the wire, on any connection.
#[derive(Clone, Debug)]
pub(super) struct Plain(pub(super) reqwest::Client);

/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(50);
/// The silence before the first keep-alive probe and between two probes, and the number of probes.
const PROBE: Duration = Duration::from_secs(15);
const PROBES: u32 = 3;
/// The minimum time for sent data to be acknowledged.
#[cfg(target_os = "linux")]
const ACKNOWLEDGED: Duration = Duration::from_secs(5);
#[cfg(feature = "http2")]
const PING: Duration = Duration::from_secs(10);
#[cfg(feature = "http2")]
const PONG: Duration = Duration::from_secs(5);

/// A client without own retries and redirects. See [`Reqwest::new`](super::Reqwest::new) for the values.
pub(super) fn builder(connect: Duration) -> ClientBuilder {
    let builder = reqwest::Client::builder()
        .connect_timeout(connect)
        .retry(retry::never())
        .redirect(redirect::Policy::none())
        .pool_idle_timeout(IDLE)
        .tcp_keepalive(PROBE)
        .tcp_keepalive_interval(PROBE)
        .tcp_keepalive_retries(PROBES)
        .connector_layer(DialedLayer::default());
    pinged(acknowledged(builder, connect))
}

#[cfg(target_os = "linux")]
fn acknowledged(builder: ClientBuilder, connect: Duration) -> ClientBuilder {
    builder.tcp_user_timeout(connect.max(ACKNOWLEDGED))
}

#[cfg(not(target_os = "linux"))]
fn acknowledged(builder: ClientBuilder, _: Duration) -> ClientBuilder {
    builder
}

#[cfg(feature = "http2")]
fn pinged(builder: ClientBuilder) -> ClientBuilder {
    builder.http2_keep_alive_interval(PING).http2_keep_alive_timeout(PONG)
}

#[cfg(not(feature = "http2"))]
fn pinged(builder: ClientBuilder) -> ClientBuilder {
    builder
}

// === impl Plain ===

impl Service<Request> for Plain {
    type Response = Response;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let client = self.0.clone();
        Box::pin(async move {
            let request = to_wire(request)?;
            let response = client.execute(request).await.map_err(failed)?;
            Ok(from_wire(response))
        })
    }
}

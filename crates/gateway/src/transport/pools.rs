//! Sends a request to an upstream, over HTTP or HTTPS.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body as AxumBody;
use evenkeel::{
    Body, Error, Request, Response,
    adapter::{DialedConnector, DialedLayer, Reconnect},
    outcome::Outcome,
};
use http::Uri;
use hyper_util::{
    client::legacy::{
        self,
        connect::{Connect, HttpConnector},
    },
    rt::{TokioExecutor, TokioTimer},
};
use tower::{Layer, Service};

use super::tls::{Tls, TlsConnector};
use crate::call::Upload;

/// Sends by hyper, which leaves path and query byte for byte as they are.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    plain: Pool<HttpConnector>,
    /// Where an upstream is `https://`.
    secure: Option<Pool<TlsConnector>>,
}

/// Connections that are kept.
type Pool<C> = legacy::Client<DialedConnector<C>, AxumBody>;

/// How long an idle connection is kept: less than the 60 s of AWS load balancers and the 75 s of nginx.
const IDLE: Duration = Duration::from_secs(50);
/// The most bytes of a head, and of an answer that is read ahead of its caller. hyper's own 417 792 bytes are too many for thousands
/// of callers that read slowly.
const MAX_BUFFER: usize = 32 * 1024;
/// TCP keep-alive: the silence before the first probe and between two probes, and the number of probes.
const PROBE: Duration = Duration::from_secs(15);
const PROBES: u32 = 3;
/// The shortest time after which a connection with unacknowledged data counts as dead: 5 s, or the connect limit if longer.
const ACKNOWLEDGED: Duration = Duration::from_secs(5);

// === impl Transport ===

impl Transport {
    /// Three transports, so that dead kept connections are replaced without cost to the caller. `connect` bounds connecting;
    /// `https` is whether an upstream needs TLS.
    pub(crate) fn reconnecting(connect: Duration, https: bool) -> Result<Reconnect<Self>, String> {
        let tls = https.then(Tls::new).transpose()?;
        let new = |idle: usize| Self::new(connect, tls.as_ref(), idle);
        Ok(Reconnect::with_pools([new(usize::MAX), new(usize::MAX)], new(0)))
    }

    fn new(connect: Duration, tls: Option<&Tls>, idle: usize) -> Self {
        let secure = |tls: &Tls| pool(tls.connector(connector(connect), connect), idle);
        Self { plain: pool(connector(connect), idle), secure: tls.map(secure) }
    }
}

impl Service<Request> for Transport {
    type Response = Response;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (mut parts, bytes) = request.into_parts();
        let upload = parts.extensions.remove::<Upload>();
        // hyper does not use the caller's extensions for evenkeel.
        parts.extensions.clear();
        let body = match upload.map(|upload| upload.take()) {
            // Cannot happen: such a request is marked as not replayable.
            Some(None) => {
                return Box::pin(async { Err(Error::new(Outcome::NotSent { retry_in: None })) });
            }
            Some(Some(body)) => body,
            None => bytes.into(),
        };
        let request = http::Request::from_parts(parts, body);
        let sent = match self.secure.as_ref().filter(|_| is_https(request.uri())) {
            Some(secure) => secure.request(request),
            None => self.plain.request(request),
        };
        Box::pin(async move { sent.await.map(|response| response.map(Body::wrap)).map_err(failed) })
    }
}

fn is_https(uri: &Uri) -> bool {
    uri.scheme() == Some(&http::uri::Scheme::HTTPS)
}

/// A client over that connector with at most `idle` idle connections to a host.
fn pool<C>(connector: C, idle: usize) -> Pool<C>
where
    DialedConnector<C>: Connect + Clone,
{
    legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(idle)
        .http1_max_buf_size(MAX_BUFFER)
        .build(DialedLayer::default().layer(connector))
}

fn connector(connect: Duration) -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(connect));
    connector.set_nodelay(true);
    connector.set_keepalive(Some(PROBE));
    connector.set_keepalive_interval(Some(PROBE));
    connector.set_keepalive_retries(Some(PROBES));
    acknowledged(connector, connect)
}

#[cfg(target_os = "linux")]
fn acknowledged(mut connector: HttpConnector, connect: Duration) -> HttpConnector {
    connector.set_tcp_user_timeout(Some(connect.max(ACKNOWLEDGED)));
    connector
}

#[cfg(not(target_os = "linux"))]
fn acknowledged(connector: HttpConnector, _: Duration) -> HttpConnector {
    connector
}

fn failed(error: legacy::Error) -> Error {
    let outcome = if error.is_connect() { Outcome::Unreachable } else { Outcome::ConnectionLost };
    Error::new(outcome).with_source(error)
}

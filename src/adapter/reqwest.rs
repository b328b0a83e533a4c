//! reqwest as the transport, and requests and responses there and back.

use std::{
    fmt,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use http_body_util::BodyExt;
use reqwest::Url;
use tower::Service;

use super::{
    errors::{cut, failed},
    reconnect::Reconnect,
    wire::{self, Plain},
};

use crate::{
    Body, ConfigError, Error, Request, Response,
    context::{CallContext, Deadline},
    outcome::Outcome,
    sync::lock_std as lock,
    upstream::ResponseFuture,
};

/// A [`reqwest::Client`] as an [`Upstream`](crate::Upstream): one request on the wire for each call, and a second one where
/// a kept connection was dead (see [`Reconnect`]).
#[derive(Clone, Debug)]
pub struct Reqwest {
    client: Reconnect<Plain>,
}

/// A streamed request body: it can be sent once only, and whoever sends first takes it.
#[derive(Clone)]
struct Once(Arc<Mutex<Option<reqwest::Body>>>);

/// Where the answer came from, as reqwest tells it.
#[derive(Clone)]
struct From(Url);

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
        Ok(Self { client: Reconnect::over(pools, build(0)?) })
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
    pub fn with(client: reqwest::Client) -> Self {
        Self { client: Reconnect::around(Plain(client)) }
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

// === requests ===

/// A request as the caller made it. A body that is known in full is shared, not copied; a streamed one is put aside.
///
/// Its timeout is ours to keep: left in it, reqwest would end a stream that goes on by it.
pub(crate) async fn from_reqwest(mut request: reqwest::Request) -> Result<Request, Error> {
    let timeout = request.timeout_mut().take();
    let known = request.body().is_none_or(|body| body.as_bytes().is_some());
    let request: http::Request<reqwest::Body> = request.try_into().map_err(failed)?;
    let (parts, body) = request.into_parts();
    let mut request = if known {
        let bytes = body.collect().await.map_err(failed)?.to_bytes();
        Request::from_parts(parts, bytes)
    } else {
        let mut request = Request::from_parts(parts, bytes::Bytes::new());
        request.extensions_mut().insert(Once(Arc::new(Mutex::new(Some(body)))));
        CallContext::of(&mut request).non_replayable = true;
        request
    };
    if let Some(timeout) = timeout {
        no_later(&mut request, Deadline::within(timeout));
    }
    Ok(request)
}

/// The call ends by then, if it would not sooner. It is no deadline that the caller gave for this call: clients put long
/// timeouts into all requests.
fn no_later(request: &mut Request, than: Deadline) {
    let own = request.extensions().get::<Deadline>().copied();
    if let Some(own) = own {
        request.extensions_mut().insert(own.min(than));
    }
    CallContext::of(request).deadline = Some(own.map_or(than, |own| own.min(than)));
}

/// A request for the wire.
pub(crate) fn to_wire(request: Request) -> Result<reqwest::Request, Error> {
    let (mut parts, bytes) = request.into_parts();
    let body = match parts.extensions.remove::<Once>() {
        Some(once) => lock(&once.0).take().ok_or_else(|| {
            Error::new(Outcome::NotSent { retry_in: None }).with_source("the body was sent before")
        })?,
        None => bytes.into(),
    };
    http::Request::from_parts(parts, body).try_into().map_err(failed)
}

// === responses ===

/// A response from the wire; its URL goes with it.
pub(crate) fn from_wire(response: reqwest::Response) -> Response {
    let url = response.url().clone();
    let response: http::Response<reqwest::Body> = response.into();
    let (mut parts, body) = response.into_parts();
    parts.extensions.insert(From(url));
    Response::from_parts(parts, Body::boxed(body.map_err(cut).boxed()))
}

/// A response for the caller of reqwest. An answer that was made here has the URL that was asked.
pub(crate) fn into_reqwest(response: Response, asked: Url) -> reqwest::Response {
    let (mut parts, body) = response.into_parts();
    let url = parts.extensions.remove::<From>().map_or(asked, |from| from.0);
    let mut response = http::Response::from_parts(parts, reqwest::Body::wrap(body));
    response.extensions_mut().extend(url_extension(url));
    response.into()
}

/// The extension in which reqwest keeps a response's URL: only its builder can make one.
fn url_extension(url: Url) -> http::Extensions {
    use reqwest::ResponseBuilderExt;
    let response = http::Response::builder().url(url).body(());
    response.map(|response| response.into_parts().0.extensions).unwrap_or_default()
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once")
    }
}

//! Any HTTP client that is a Tower service, as the transport.

use std::{
    fmt,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::Body as HttpBody;
use http_body_util::Full;
use tower::{Service, ServiceExt};

use super::{sync_body::SyncBody, transport_error::failed};
use crate::{Body, BoxError, Error, Request, Response, upstream::ResponseFuture};

/// Any `Service<http::Request<B>, Response = http::Response<R>>` as an [`Upstream`](crate::Upstream): a client of hyper-util,
/// an axum `Router`, a boxed Tower stack with layers of yours.
///
/// * The request body `B` is made from the bytes of a request: [`new`](Self::new) makes a `Full<Bytes>`,
///   [`with_body`](Self::with_body) any other.
/// * The response body `R` is any `http_body::Body` that is `Send`; it need not be `Sync`. Its bytes are passed on without a
///   copy if they are [`Bytes`].
/// * The service is `Clone + Send + Sync`: box one as a `BoxCloneSyncService`, not as a `BoxCloneService`. One that cannot be
///   cloned or shared can be put behind Tower's `Buffer`.
///
/// ```
/// use evenkeel::{Client, adapter::HttpService};
/// use tower::ServiceBuilder;
/// # use std::{convert::Infallible, time::Duration};
/// # use http_body_util::Full;
///
/// # fn main() -> Result<(), evenkeel::ConfigError> {
/// # let http = tower::service_fn(|_: http::Request<Full<bytes::Bytes>>| async {
/// #     Ok::<_, Infallible>(http::Response::new(Full::new(bytes::Bytes::from("{}"))))
/// # });
/// // `http` is any client over `http::Request<Full<Bytes>>`, here within a limit of its own.
/// let http = ServiceBuilder::new().timeout(Duration::from_secs(20)).service(http);
/// let client = Client::builder().build_with(HttpService::new(http))?;
/// # let _ = client; Ok(())
/// # }
/// ```
///
/// # Errors
///
/// | error, or one in its chain of sources | outcome |
/// |---|---|
/// | [`Error`] | its own |
/// | a connection was not made: hyper's (feature `hyper`), or the system refused it, found no way or no address | `Unreachable` |
/// | Tower's `Elapsed`, tokio's, a timeout of the system | `TimedOut` |
/// | Tower's `Overloaded` | `NotSent` |
/// | any other | `ConnectionLost`; in a body `Truncated` |
///
/// # Pitfalls
///
/// * **Retries, redirects and timeouts** of the service are invisible to evenkeel: turn off its retries, do not follow
///   redirects, and let evenkeel time the calls.
/// * **Readiness** is awaited within the attempt, under its time limit. A service that is busy counts as a silent provider: put
///   a limit of concurrency into [evenkeel's](crate::limit) instead.
/// * **Kept connections** that are dead fail the first attempt: put a [`Reconnect`](super::Reconnect) around it.
pub struct HttpService<S, B = Full<Bytes>> {
    inner: S,
    body: fn(Bytes) -> B,
}

// === impl HttpService ===

impl<S> HttpService<S>
where
    S: Service<http::Request<Full<Bytes>>>,
{
    /// Wraps a service whose request body is a `Full<Bytes>`, or may be: an axum `Router`, most layers of tower-http.
    pub fn new(inner: S) -> Self {
        Self::with_body(inner, Full::new)
    }
}

impl<S, B> HttpService<S, B>
where
    S: Service<http::Request<B>>,
{
    /// Wraps a service whose request body is made by a function: `axum::body::Body::from`, `reqwest::Body::from`, one of yours;
    /// `|bytes| bytes` for layers of others around a service of this crate.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use evenkeel::adapter::HttpService;
    /// use http_body_util::{Full, combinators::UnsyncBoxBody};
    /// # use std::convert::Infallible;
    ///
    /// type Boxed = UnsyncBoxBody<Bytes, Infallible>;
    /// # let http = tower::service_fn(|_: http::Request<Boxed>| async {
    /// #     Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::new())))
    /// # });
    /// let upstream = HttpService::with_body(http, |bytes| Boxed::new(Full::new(bytes)));
    /// # evenkeel::Client::builder().build_with(upstream).expect("a valid client");
    /// ```
    pub fn with_body(inner: S, body: fn(Bytes) -> B) -> Self {
        Self { inner, body }
    }
}

impl<S, B, R> Service<Request> for HttpService<S, B>
where
    S: Service<http::Request<B>, Response = http::Response<R>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    B: Send + 'static,
    R: HttpBody + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = Error;
    type Future = ResponseFuture;

    /// Always ready: readiness of the service is awaited within the call.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let sent = self.inner.clone().oneshot(request.map(self.body));
        Box::pin(async move {
            let response = sent.await.map_err(|error| failed(error.into()))?;
            Ok(response.map(|body| Body::wrap(SyncBody::new(body))))
        })
    }
}

impl<S: Clone, B> Clone for HttpService<S, B> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), body: self.body }
    }
}

impl<S: fmt::Debug, B> fmt::Debug for HttpService<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HttpService").field(&self.inner).finish()
    }
}

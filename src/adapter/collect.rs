//! Requests with a body of any type, for the services of this crate.

use std::task::{Context, Poll};

use http_body::Body as HttpBody;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tower::{Layer, Service};

use crate::{
    BoxError, Error, Request, Response, Upstream,
    error::find,
    outcome::Outcome,
    upstream::{ResponseFuture, take_ready},
};

/// Makes a [`Client`](crate::Client), or any [`Upstream`], a `Service<http::Request<B>>` for every body `B`: the client under
/// another library, or under a Tower stack of yours.
///
/// The body of a request is collected first, so that it can be sent again. One that is longer than the maximum fails with
/// [`Outcome::TooLarge`], one that breaks off with [`Outcome::Cancelled`], as the caller has gone. The deadline of the call begins
/// after its body has arrived.
///
/// # Defaults
///
/// * a maximum of 32 MiB: the longest that the APIs take, a file for a transcription
///
/// ```
/// use evenkeel::{Client, adapter::CollectLayer};
/// use http_body_util::Full;
/// use tower::{ServiceBuilder, ServiceExt};
/// # use evenkeel_testkit::Provider;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let client = Client::builder().build_with(Provider::new("api"))?;
/// let service = ServiceBuilder::new().layer(CollectLayer::new()).service(client);
/// # let body = Full::<bytes::Bytes>::from(r#"{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Where is my parcel?"}]}"#);
/// let request = http::Request::post("https://api.example.com/v1/chat/completions").body(body)?;
/// assert_eq!(service.oneshot(request).await?.status(), 200);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CollectLayer {
    max: usize,
}

/// A service that collects the bodies of its requests. Made by [`CollectLayer`].
#[derive(Clone, Debug)]
pub struct Collect<S> {
    inner: S,
    max: usize,
}

const MAX: usize = 32 * 1024 * 1024;

// === impl CollectLayer ===

impl CollectLayer {
    /// Creates a layer with the default maximum.
    pub fn new() -> Self {
        Self { max: MAX }
    }

    /// Sets the maximum length of a request body, in bytes. With 0 only empty bodies pass.
    #[must_use]
    pub fn max_bytes(mut self, max: usize) -> Self {
        self.max = max;
        self
    }
}

impl Default for CollectLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for CollectLayer {
    type Service = Collect<S>;

    fn layer(&self, inner: S) -> Collect<S> {
        Collect { inner, max: self.max }
    }
}

// === impl Collect ===

impl<S, B> Service<http::Request<B>> for Collect<S>
where
    S: Upstream,
    B: HttpBody + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let (mut inner, max) = (take_ready(&mut self.inner), self.max);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = Limited::new(body, max).collect().await.map_err(uncollected)?;
            inner.call(Request::from_parts(parts, body.to_bytes())).await
        })
    }
}

/// The body is too long, or its sender broke off.
fn uncollected(error: BoxError) -> Error {
    let outcome = match find::<LengthLimitError>(&*error) {
        Some(_) => Outcome::TooLarge,
        None => Outcome::Cancelled,
    };
    Error::new(outcome).with_source(error)
}

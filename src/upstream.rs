//! The request, response and service types that every layer is built on.
//!
//! A [`Request`] has its whole body as [`Bytes`], so it can be sent again at no cost. A [`Response`] has one type-erased [`Body`]
//! that is `Send + Sync`. [`Upstream`] is the only service bound of the crate: any Tower service from `Request` to `Response`
//! that can be cloned and sent. It is implemented for all of them; you never implement it yourself. A custom transport reports
//! its connections by [`LocalAddress`] and [`ConnectionError`].

mod attempt_future;
mod connection;

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use tower::{Service, ServiceExt, util::Oneshot};

use crate::{Body, Error};

pub use attempt_future::AttemptFuture;
pub use connection::{ConnectionError, LocalAddress};

/// A request whose body is known in full. Sent again by cloning, which copies no byte of the body.
pub type Request = http::Request<Bytes>;

/// A response with the [`Body`] of this crate.
pub type Response = http::Response<Body>;

/// The boxed future of a call. Dropping it cancels the call.
pub type ResponseFuture = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

/// Anything an attempt can be sent to: a service from [`Request`] to [`Response`] with this crate's [`Error`].
///
/// Implemented for every service of that shape; write a custom transport with [`tower::service_fn`]. A service over requests and
/// responses with other bodies, or with another error, is wrapped in an [`HttpService`](crate::adapter::HttpService).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an upstream: a service from `evenkeel::Request` to `evenkeel::Response` with `evenkeel::Error`",
    label = "not an `evenkeel::Upstream`",
    note = "wrap any other `Service<http::Request<B>, Response = http::Response<R>>` in `evenkeel::adapter::HttpService::new(…)`",
    note = "a `reqwest::Client` goes into `ClientBuilder::build_with_reqwest(…)` or `evenkeel::adapter::Reqwest::from_client(…)`",
    note = "it also has to be `Clone + Send + Sync + 'static`, and its futures `Send`: box one as a `tower::util::BoxCloneSyncService`"
)]
pub trait Upstream:
    Service<Request, Response = Response, Error = Error, Future = Self::Call>
    + Clone
    + Send
    + Sync
    + 'static
{
    /// The future of one call.
    type Call: Future<Output = Result<Response, Error>> + Send + 'static;
}

// === impl Upstream ===

// Otherwise an error names a bound of this implementation, and not what to do.
#[diagnostic::do_not_recommend]
impl<S, F> Upstream for S
where
    S: Service<Request, Response = Response, Error = Error, Future = F>
        + Clone
        + Send
        + Sync
        + 'static,
    F: Future<Output = Result<Response, Error>> + Send + 'static,
{
    type Call = F;
}

/// An upstream that is always ready: its own readiness is awaited within the attempt, so that the time limits of the attempt and
/// its call hold for that wait too.
#[derive(Clone, Debug)]
pub(crate) struct ReadyInCall<S>(pub(crate) S);

impl<S: Upstream> Service<Request> for ReadyInCall<S> {
    type Response = Response;
    type Error = Error;
    type Future = Oneshot<S, Request>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        self.0.clone().oneshot(request)
    }
}

/// Takes the service that was polled ready and leaves a clone in its place.
///
/// A clone of a service may not be ready; the one that was polled is. Every `call` that moves its service into a future has to
/// move the ready one.
pub(crate) fn take_ready<S: Clone>(service: &mut S) -> S {
    let fresh = service.clone();
    std::mem::replace(service, fresh)
}

//! The request, response and service types that every layer is built on.
//!
//! A [`Request`] has its whole body as [`Bytes`], so it can be sent again at no cost. A [`Response`] has one type-erased [`Body`]
//! that is `Send + Sync`. [`Upstream`] is the only service bound of the crate: any Tower service from `Request` to `Response`
//! that can be cloned and sent. It is implemented for all of them; you never implement it yourself. A custom transport reports
//! its connections by [`LocalAddress`] and [`ConnectionError`].

mod connection;

use std::{future::Future, pin::Pin};

use bytes::Bytes;
use tower::Service;

use crate::{Body, Error};

pub use connection::{ConnectionError, LocalAddress};

/// A request whose body is known in full. Sent again by cloning, which copies no byte of the body.
pub type Request = http::Request<Bytes>;

/// A response with the [`Body`] of this crate.
pub type Response = http::Response<Body>;

/// The boxed future of a call. Dropping it cancels the call.
pub type ResponseFuture = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

/// Anything an attempt can be sent to: a service from [`Request`] to [`Response`] with this crate's [`Error`].
///
/// Implemented for every service of that shape; write a custom transport with [`tower::service_fn`].
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

/// Takes the service that was polled ready and leaves a clone in its place.
///
/// A clone of a service may not be ready; the one that was polled is. Every `call` that moves its service into a future has to
/// move the ready one.
pub(crate) fn take_ready<S: Clone>(service: &mut S) -> S {
    let fresh = service.clone();
    std::mem::replace(service, fresh)
}

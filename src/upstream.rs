//! What every layer stands on: the request, the response and the service under it.
//!
//! A [`Request`] carries its whole body as [`Bytes`], so it can be sent again at no cost. A [`Response`] carries one
//! erased [`Body`] that is `Send + Sync`. [`Upstream`] is the one bound of the crate: any Tower service from
//! the one to the other that can be cloned and sent. It is implemented for all of them; nobody implements it by hand.
//! [`LocalAddress`] and [`ConnectionError`] are how a transport of your own names its connections.

mod connection;

use std::{future::Future, pin::Pin};

use bytes::Bytes;
use tower::Service;

use crate::{Body, Error};

pub use connection::{ConnectionError, LocalAddress};

/// A request whose body is known in full: sent again by cloning, which copies no byte of the body.
pub type Request = http::Request<Bytes>;

/// A response with evenkeel's body.
pub type Response = http::Response<Body>;

/// The response of a call that is under way, boxed. Dropped, it cancels the call.
pub type ResponseFuture = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

/// Anything an attempt can be sent to: a service from [`Request`] to [`Response`] with evenkeel's [`Error`].
///
/// Implemented for every service of that shape; a transport of your own is a [`tower::service_fn`] away.
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

/// Takes the service that was polled ready and leaves a fresh clone in its place.
///
/// A clone of a service may not be ready; the one that was polled is. Every `call` that moves its service into a future
/// has to move that one.
pub(crate) fn take_ready<S: Clone>(service: &mut S) -> S {
    let fresh = service.clone();
    std::mem::replace(service, fresh)
}

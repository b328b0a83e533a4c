//! The requests that a client sends.

use std::future::{Future, ready};

use bytes::Bytes;

use crate::{Error, Request, Response};
use sealed::UploadBuffer;

/// A request that a [`Client`](crate::Client) sends and answers questions about.
///
/// | request | its response | feature |
/// |---|---|---|
/// | `reqwest::Request` | `reqwest::Response` | `reqwest` |
/// | `reqwest::RequestBuilder` | `reqwest::Response`; an error of the builder is the [`Error`] of the call | `reqwest` |
/// | `http::Request<B>` with a body that is [`Bytes`] or can be made into them | [`Response`] | |
///
/// Sealed: it has no other implementations.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no request that a client of evenkeel sends",
    note = "these are `reqwest::Request` and `RequestBuilder` of reqwest 0.13, and `http::Request` of http 1 with a body of bytes"
)]
pub trait IntoCall: sealed::Sealed + Sized + Send + 'static {
    /// The response to such a request.
    type Response: Send + 'static;

    /// What a response needs to know of its request.
    #[doc(hidden)]
    type Asked: Send + 'static;

    /// A copy for questions; `None` if the request cannot be read. A body that streams is empty in it.
    #[doc(hidden)]
    fn copy(&self) -> Option<Request>;

    #[doc(hidden)]
    fn into_request(
        self,
        uploads: UploadBuffer,
    ) -> impl Future<Output = Result<(Request, Self::Asked), Error>> + Send;

    #[doc(hidden)]
    fn respond(response: Response, asked: Self::Asked) -> Self::Response;
}

pub(crate) mod sealed {
    use std::time::Duration;

    pub trait Sealed {}

    /// How much of a streamed request body is read before it is sent.
    #[derive(Clone, Copy, Debug)]
    #[cfg_attr(not(feature = "reqwest"), allow(dead_code))]
    pub struct UploadBuffer {
        /// The most that is read, in bytes.
        pub(crate) max_bytes: usize,
        /// The time for it, if the call has no deadline of its own.
        pub(crate) usual_time: Duration,
    }
}

// === impl IntoCall ===

impl<B> sealed::Sealed for http::Request<B> {}

impl<B: Into<Bytes> + Clone + Send + 'static> IntoCall for http::Request<B> {
    type Response = Response;
    type Asked = ();

    fn copy(&self) -> Option<Request> {
        Some(self.clone().map(Into::into))
    }

    fn into_request(
        self,
        _: UploadBuffer,
    ) -> impl Future<Output = Result<(Request, ()), Error>> + Send {
        ready(Ok((self.map(Into::into), ())))
    }

    fn respond(response: Response, (): ()) -> Response {
        response
    }
}

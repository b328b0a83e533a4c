//! The layers that decode a request and restore it.

use std::task::{Context, Poll};

use bytes::Bytes;
use http::Request;
use tower::{Layer, Service};

use super::request::{decode_request, restore_request};

/// Wraps services into [`DecodeRequest`]: above all layers that read requests.
#[derive(Clone, Copy, Debug, Default)]
pub struct DecodeRequestLayer {}

/// Decodes the bodies of requests. See [the module](super).
#[derive(Clone, Copy, Debug)]
pub struct DecodeRequest<S> {
    inner: S,
}

/// Wraps services into [`RestoreRequest`]: below all layers that read or change requests.
#[derive(Clone, Copy, Debug, Default)]
pub struct RestoreRequestLayer {}

/// Restores the original bytes of requests that [`DecodeRequest`] decoded and no layer changed. See [the module](super).
#[derive(Clone, Copy, Debug)]
pub struct RestoreRequest<S> {
    inner: S,
}

// === impl DecodeRequestLayer ===

impl<S> Layer<S> for DecodeRequestLayer {
    type Service = DecodeRequest<S>;

    fn layer(&self, inner: S) -> DecodeRequest<S> {
        DecodeRequest { inner }
    }
}

// === impl DecodeRequest ===

impl<S: Service<Request<Bytes>>> Service<Request<Bytes>> for DecodeRequest<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Bytes>) -> S::Future {
        decode_request(&mut request);
        self.inner.call(request)
    }
}

// === impl RestoreRequestLayer ===

impl<S> Layer<S> for RestoreRequestLayer {
    type Service = RestoreRequest<S>;

    fn layer(&self, inner: S) -> RestoreRequest<S> {
        RestoreRequest { inner }
    }
}

// === impl RestoreRequest ===

impl<S: Service<Request<Bytes>>> Service<Request<Bytes>> for RestoreRequest<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Bytes>) -> S::Future {
        restore_request(&mut request);
        self.inner.call(request)
    }
}

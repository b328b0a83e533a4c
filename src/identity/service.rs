//! The identity layer: passes the policy to the layers below.

use std::task::{Context, Poll};

use tower::{Layer, Service};

use super::{IdentityPolicy, policy::Known};
use crate::{ConfigError, Error, Request, Response, Upstream};

/// Passes the [`IdentityPolicy`] to the layers below, in each request. See [the module](super).
#[derive(Clone, Debug)]
pub struct Identity<S> {
    inner: S,
    layer: IdentityLayer,
}

/// Wraps services into [`Identity`]s.
#[derive(Clone, Debug)]
pub struct IdentityLayer {
    known: Known,
}

// === impl IdentityPolicy ===

impl IdentityPolicy {
    /// Builds the layer, if every value is valid. It belongs above the fallbacks and the cache.
    ///
    /// # Errors
    ///
    /// Names a blank key, a header or key that names the payer and is to be forwarded to another origin, or a header that is both
    /// ignored and read by another setting.
    pub fn build(self) -> Result<IdentityLayer, ConfigError> {
        self.check()?;
        Ok(IdentityLayer::new(Known(self.into())))
    }
}

// === impl IdentityLayer ===

impl IdentityLayer {
    pub(super) fn new(known: Known) -> Self {
        Self { known }
    }

    /// Inserts the policy into a request.
    pub(crate) fn mark(&self, request: &mut Request) {
        request.extensions_mut().insert(self.known.clone());
    }
}

impl<S> Layer<S> for IdentityLayer {
    type Service = Identity<S>;

    fn layer(&self, inner: S) -> Identity<S> {
        Identity { inner, layer: self.clone() }
    }
}

// === impl Identity ===

impl<S: Upstream> Service<Request> for Identity<S> {
    type Response = Response;
    type Error = Error;
    type Future = S::Call;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        self.layer.mark(&mut request);
        self.inner.call(request)
    }
}

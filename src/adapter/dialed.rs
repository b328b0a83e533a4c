//! Whether a new connection was opened for a request.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use tower::{Layer, Service};

/// Whether a connection was opened for a request. If not, it was sent on a kept connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Dialed(Arc<AtomicBool>);

/// Reports the connections that a connector opens to [`Reconnect`](super::Reconnect): without it, a silent kept connection cannot
/// be distinguished from a silent provider.
///
/// Put it around the connector of a hyper client, or into a reqwest client with `connector_layer`.
#[derive(Clone, Copy, Debug, Default)]
pub struct DialedLayer {}

/// A connector that reports its connections. Created by [`DialedLayer`].
#[derive(Clone, Debug)]
pub struct DialedConnector<C> {
    connector: C,
}

tokio::task_local! {
    /// The request that is being polled. Connectors are called within it.
    static REQUEST: Dialed;
}

// === impl Dialed ===

impl Dialed {
    /// Records connections that are opened while `work` is polled.
    pub(super) async fn within<T>(&self, work: impl Future<Output = T>) -> T {
        REQUEST.scope(self.clone(), work).await
    }

    pub(super) fn is_so(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

// === impl DialedLayer ===

impl<C> Layer<C> for DialedLayer {
    type Service = DialedConnector<C>;

    fn layer(&self, connector: C) -> DialedConnector<C> {
        DialedConnector { connector }
    }
}

// === impl DialedConnector ===

impl<C: Service<T>, T> Service<T> for DialedConnector<C> {
    type Response = C::Response;
    type Error = C::Error;
    type Future = C::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.connector.poll_ready(cx)
    }

    fn call(&mut self, target: T) -> C::Future {
        // A connection that a client opens ahead of requests is not within one.
        let _ = REQUEST.try_with(|dialed| dialed.0.store(true, Ordering::Relaxed));
        self.connector.call(target)
    }
}

//! An upstream that records calls without readiness.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use evenkeel::{Error, Request, Response, outcome::Outcome, upstream::ResponseFuture};
use tokio::time::{Sleep, sleep};
use tower::Service;

use crate::Provider;

/// An upstream whose clones are not ready until they are polled. It counts the calls without readiness.
///
/// Readiness takes a millisecond, and belongs to the service that was polled.
pub struct Probe {
    shared: Arc<Shared>,
    ready: Ready,
}

#[derive(Debug)]
struct Shared {
    provider: Provider,
    unready_calls: AtomicU64,
    readiness_polls: AtomicU64,
    fails_readiness: AtomicBool,
}

enum Ready {
    No,
    Soon(Pin<Box<Sleep>>),
    Yes,
}

/// The time until a probe is ready.
const DELAY: Duration = Duration::from_millis(1);

// === impl Probe ===

impl Probe {
    /// A probe with whole answers.
    pub fn new() -> Self {
        let shared = Shared {
            provider: Provider::new("probe"),
            unready_calls: AtomicU64::new(0),
            readiness_polls: AtomicU64::new(0),
            fails_readiness: AtomicBool::new(false),
        };
        Self { shared: Arc::new(shared), ready: Ready::No }
    }

    /// The provider that answers the calls.
    pub fn provider(&self) -> &Provider {
        &self.shared.provider
    }

    /// The number of calls without readiness.
    pub fn unready_calls(&self) -> u64 {
        self.shared.unready_calls.load(Ordering::Relaxed)
    }

    /// The number of polls of readiness.
    pub fn readiness_polls(&self) -> u64 {
        self.shared.readiness_polls.load(Ordering::Relaxed)
    }

    /// Sets whether polls of readiness fail from now on.
    pub fn fail_readiness(&self, fails: bool) {
        self.shared.fails_readiness.store(fails, Ordering::Relaxed);
    }
}

impl Service<Request> for Probe {
    type Response = Response;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.shared.readiness_polls.fetch_add(1, Ordering::Relaxed);
        if self.shared.fails_readiness.load(Ordering::Relaxed) {
            return Poll::Ready(Err(Error::new(Outcome::Unreachable)));
        }
        if let Ready::No = self.ready {
            self.ready = Ready::Soon(Box::pin(sleep(DELAY)));
        }
        if let Ready::Soon(sleep) = &mut self.ready {
            ready!(sleep.as_mut().poll(cx));
            self.ready = Ready::Yes;
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // Readiness is for one call.
        let ready = std::mem::replace(&mut self.ready, Ready::No);
        if !matches!(ready, Ready::Yes) {
            self.shared.unready_calls.fetch_add(1, Ordering::Relaxed);
        }
        self.shared.provider.clone().call(request)
    }
}

impl Clone for Probe {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), ready: Ready::No }
    }
}

impl Default for Probe {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ready = matches!(self.ready, Ready::Yes);
        f.debug_struct("Probe").field("ready", &ready).field("shared", &self.shared).finish()
    }
}

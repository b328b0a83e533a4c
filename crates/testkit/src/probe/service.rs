//! An upstream that notices when it is called wrongly.

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

/// An upstream whose clones are not ready until they were polled, and which notes every call without readiness.
///
/// Readiness takes a millisecond each time, and belongs to the one service that was polled.
pub struct Probe {
    shared: Arc<Shared>,
    ready: Ready,
}

#[derive(Debug)]
struct Shared {
    provider: Provider,
    unready: AtomicU64,
    polls: AtomicU64,
    broken: AtomicBool,
}

enum Ready {
    No,
    Soon(Pin<Box<Sleep>>),
    Yes,
}

const DELAY: Duration = Duration::from_millis(1);

// === impl Probe ===

impl Probe {
    /// A probe that answers well.
    pub fn new() -> Self {
        let shared = Shared {
            provider: Provider::new("probe"),
            unready: AtomicU64::new(0),
            polls: AtomicU64::new(0),
            broken: AtomicBool::new(false),
        };
        Self { shared: Arc::new(shared), ready: Ready::No }
    }

    /// The provider that answers its calls.
    pub fn provider(&self) -> &Provider {
        &self.shared.provider
    }

    /// How many calls came without readiness.
    pub fn unready(&self) -> u64 {
        self.shared.unready.load(Ordering::Relaxed)
    }

    /// How many times its readiness was asked for.
    pub fn polls(&self) -> u64 {
        self.shared.polls.load(Ordering::Relaxed)
    }

    /// From now on readiness fails, or no longer.
    pub fn breaks(&self, broken: bool) {
        self.shared.broken.store(broken, Ordering::Relaxed);
    }
}

impl Service<Request> for Probe {
    type Response = Response;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.shared.polls.fetch_add(1, Ordering::Relaxed);
        if self.shared.broken.load(Ordering::Relaxed) {
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
            self.shared.unready.fetch_add(1, Ordering::Relaxed);
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

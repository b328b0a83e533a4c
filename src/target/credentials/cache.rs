//! The token that all attempts share: one fetch for many calls, in a task of its own.

use std::{
    convert::Infallible,
    fmt,
    pin::pin,
    sync::{Arc, Mutex},
    thread,
};

use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

use super::{
    failure::CredentialError,
    settings::CredentialTimes,
    source::CredentialSource,
    state::{Refusal, Step, Token, TokenState},
    user_call::{Fetched, UserCall},
};
use crate::{
    context::Route,
    sync::lock_std as lock,
    telemetry::{CredentialFailure, EventKind, EventSink, UserCode},
};

/// The token of a source. Shared by all targets with that source.
pub(crate) struct TokenCache {
    source: Box<dyn CredentialSource>,
    state: Mutex<TokenState>,
    changed: Notify,
}

/// What a fetch needs to know of the attempt that starts it.
#[derive(Clone, Debug)]
pub(crate) struct FetchContext {
    pub(crate) times: CredentialTimes,
    pub(crate) route: Route,
    pub(crate) events: EventSink,
}

/// A fetch under way. Dropped before its end, it lets the next one start.
struct Fetch {
    cache: Arc<TokenCache>,
    context: FetchContext,
    began: Instant,
    ended: bool,
}

// === impl TokenCache ===

impl TokenCache {
    pub(super) fn new(source: impl CredentialSource) -> Self {
        let state = Mutex::new(TokenState::default());
        Self { source: Box::new(source), state, changed: Notify::new() }
    }

    /// The token for an attempt; waits for a fetch if there is none.
    pub(super) async fn token(self: &Arc<Self>, context: &FetchContext) -> Result<Token, Refusal> {
        let step = |state: &mut TokenState| Ok(state.next(Instant::now()));
        match self.until_decided::<Infallible>(context, step).await {
            Ok(decided) => decided,
            Err(never) => match never {},
        }
    }

    /// A newer token than the rejected one; `None` if there is none to be had.
    pub(super) async fn newer(
        self: &Arc<Self>,
        rejected: &Token,
        context: &FetchContext,
    ) -> Option<Token> {
        let step = |state: &mut TokenState| state.renew(rejected.generation, Instant::now());
        let newer = self.until_decided(context, step).await.ok()?.ok()?;
        // A source that returns the same token again has no other.
        (newer.headers != rejected.headers).then_some(newer)
    }

    /// Takes steps until there is a token, or none to be had.
    async fn until_decided<F>(
        self: &Arc<Self>,
        context: &FetchContext,
        step: impl Fn(&mut TokenState) -> Result<Step, F>,
    ) -> Result<Result<Token, Refusal>, F> {
        loop {
            let mut changed = pin!(self.changed.notified());
            // Before the state is read: a fetch that ends in between is not missed.
            changed.as_mut().enable();
            let next = step(&mut lock(&self.state))?;
            match next {
                Step::Use(token) => return Ok(Ok(token)),
                Step::UseAndFetch(token) => {
                    self.start(context);
                    return Ok(Ok(token));
                }
                Step::Refuse(refusal) => return Ok(Err(refusal)),
                Step::Fetch => self.start(context),
                Step::Wait => (),
            }
            changed.await;
        }
    }

    /// Starts a fetch. Its caller may leave: the fetch goes on for the others.
    fn start(self: &Arc<Self>, context: &FetchContext) {
        let (cache, context) = (self.clone(), context.clone());
        let fetch = Fetch { cache, context, began: Instant::now(), ended: false };
        tokio::spawn(fetch.run());
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenCache")
    }
}

// === impl Fetch ===

impl Fetch {
    async fn run(mut self) {
        let source = self.cache.clone();
        let fetched = UserCall::start(|| source.source.fetch());
        let late = || Err(CredentialError::new(CredentialFailure::TimedOut));
        let result = timeout(self.context.times.timeout, fetched).await;
        self.end(result.unwrap_or_else(|_| late()));
    }

    fn end(&mut self, result: Result<Fetched, CredentialError>) {
        self.ended = true;
        let FetchContext { times, route, events } = &self.context;
        let (now, random, route) = (Instant::now(), fastrand::f64(), route.clone());
        let event = match result {
            Ok(fetched) => {
                let (lifetime, took) = (fetched.1, now.saturating_duration_since(self.began));
                lock(&self.cache.state).fetched(fetched, times, now, random);
                EventKind::CredentialsFetched { route, lifetime, took }
            }
            Err(error) => {
                let reason = error.why();
                let retry_in = lock(&self.cache.state).failed(error, now, random);
                EventKind::CredentialsFailed { route, reason, retry_in: Some(retry_in) }
            }
        };
        self.cache.changed.notify_waiters();
        if matches!(event, EventKind::CredentialsFailed { reason: CredentialFailure::Panicked, .. })
        {
            events.panicked(UserCode::Credentials);
        }
        events.emit(event);
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if thread::panicking() {
            return self.end(Err(CredentialError::new(CredentialFailure::Panicked)));
        }
        // The runtime was shut down. Another one can start the next fetch.
        lock(&self.cache.state).abandoned();
        self.cache.changed.notify_waiters();
    }
}

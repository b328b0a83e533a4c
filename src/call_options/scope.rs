//! Options of all calls that a future or a stream makes.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::CallOptions;

tokio::task_local! {
    static SCOPE: Scope;
}

/// The options of a scope, merged with those of the scopes around it.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    options: Arc<CallOptions>,
    /// The number of scopes around it.
    depth: u32,
}

pin_project! {
    /// A future or a stream whose calls have [`CallOptions`]: made by [`CallOptions::scope`].
    #[derive(Debug)]
    #[must_use = "a future or a stream does nothing until it is polled"]
    pub struct Scoped<T> {
        #[pin]
        inner: T,
        options: CallOptions,
        // The scope that it was made in.
        made: Option<Scope>,
        // Its own, merged at the first poll.
        entered: Option<Scope>,
    }
}

// === impl CallOptions ===

impl CallOptions {
    /// Makes these the options of all calls of evenkeel that `inner` makes: a future, or a stream. Explicit options of a call
    /// have precedence; scopes inside of this one are merged with it field by field.
    ///
    /// For clients that have no way to pass options along, such as async-openai and rig. See [the module](super#scopes).
    pub fn scope<T>(&self, inner: T) -> Scoped<T> {
        Scoped::new(self.clone(), inner)
    }

    /// The options of the scope that the caller is in, merged with those around it; none outside of a scope. Give them to a task
    /// that is spawned: `tokio::spawn(CallOptions::current().scope(work))`.
    pub fn current() -> Self {
        Scope::current().map_or_else(Self::default, |scope| scope.options().clone())
    }
}

// === impl Scope ===

impl Scope {
    /// The innermost scope that the caller is in.
    pub(crate) fn current() -> Option<Self> {
        SCOPE.try_with(Self::clone).ok()
    }

    /// The scope of something that was made in the scope `made`, and runs in the current one: the inner one of both, as a call
    /// may be made in a scope and awaited outside of it, or the other way round.
    pub(crate) fn innermost(made: Option<Self>) -> Option<Self> {
        match (made, Self::current()) {
            (Some(made), Some(now)) => Some(if made.depth > now.depth { made } else { now }),
            (made, now) => made.or(now),
        }
    }

    pub(crate) fn options(&self) -> &CallOptions {
        &self.options
    }
}

// === impl Scoped ===

impl<T> Scoped<T> {
    pub(super) fn new(options: CallOptions, inner: T) -> Self {
        Self { inner, options, made: Scope::current(), entered: None }
    }

    /// The future or stream itself.
    pub fn into_inner(self) -> T {
        self.inner
    }

    /// Runs `work` on the future or stream in the scope.
    fn run<R>(self: Pin<&mut Self>, work: impl FnOnce(Pin<&mut T>) -> R) -> R {
        let this = self.project();
        let (options, made) = (this.options, this.made);
        let scope = this.entered.get_or_insert_with(|| {
            let around = Scope::innermost(made.take());
            let merged = match &around {
                Some(around) => std::mem::take(options).or(&around.options),
                None => std::mem::take(options),
            };
            let depth = around.map_or(0, |around| around.depth.saturating_add(1));
            Scope { options: merged.into(), depth }
        });
        SCOPE.sync_scope(scope.clone(), || work(this.inner))
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.run(|inner| inner.poll(cx))
    }
}

impl<S: Stream> Stream for Scoped<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.run(|inner| inner.poll_next(cx))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

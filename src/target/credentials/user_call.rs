//! Calls user code so that its panic ends nothing but itself.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use super::{CredentialsFuture, failure::CredentialError, value::CredentialHeaders};
use crate::telemetry::CredentialFailure;

/// Valid headers with their lifetime.
pub(super) type Fetched = (CredentialHeaders, Option<std::time::Duration>);

/// The future of user code. A panic in it, also while it is dropped, ends only this future.
pub(super) struct UserCall<'a>(Option<CredentialsFuture<'a>>);

// === impl UserCall ===

impl<'a> UserCall<'a> {
    /// Calls user code.
    pub(super) fn start(call: impl FnOnce() -> CredentialsFuture<'a>) -> Self {
        Self(catch_unwind(AssertUnwindSafe(call)).ok())
    }
}

impl Future for UserCall<'_> {
    type Output = Result<Fetched, CredentialError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let panicked = || Poll::Ready(Err(CredentialError::new(CredentialFailure::Panicked)));
        let Some(call) = &mut self.0 else { return panicked() };
        match catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(Ok(credentials))) => Poll::Ready(credentials.check()),
            Ok(Poll::Ready(Err(error))) => Poll::Ready(Err(CredentialError::failed(error))),
            Err(_) => panicked(),
        }
    }
}

impl Drop for UserCall<'_> {
    fn drop(&mut self) {
        let call = self.0.take();
        // The panic was reported by the panic hook.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(call)));
    }
}

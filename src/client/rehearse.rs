//! Asks every target of a client once.

use super::Client;
use crate::{CallOptions, into_call::IntoCall, rehearsal::Rehearsal};

// === impl Client ===

impl Client {
    /// Asks every target once with this request, and reports what each of them answered: for the start of a program, for CI, and
    /// after a key was replaced.
    ///
    /// The call's own first target, every one of [equal targets](crate::balance) and every fallback gets the request as a call
    /// would send it there: with its own URL, credentials, model, edits and compatibility. All are asked concurrently, eight at a
    /// time, each within the limits of an attempt. A stored answer and a wait are listed and not asked; a canned reply is made and
    /// checked. See [`rehearsal`](crate::rehearsal).
    ///
    /// It takes the same requests as [`call`](Self::call). One that cannot be read, a `reqwest::RequestBuilder` with an error (build it first, to see which) or
    /// with a body that streams, is sent nowhere, and its rehearsal is empty.
    ///
    /// Breakers, budgets, limits and stored answers are neither asked nor changed, and no listener gets an event: an open breaker
    /// refuses nothing here, and a failure here opens none. Each request is billed like a call, so send a short one.
    pub async fn rehearse<R: IntoCall>(&self, request: &R) -> Rehearsal {
        let Some(Ok(mut request)) = self.settled(request, CallOptions::default()) else {
            return Rehearsal::from_iter([]);
        };
        if let Some(identity) = &self.handles.identity {
            identity.mark(&mut request);
        }
        self.rehearser.run(&self.handles.fallbacks, request).await
    }
}

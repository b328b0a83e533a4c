//! Asks every target of a client once.

use super::Client;
use crate::{Request, coding, rehearsal::Rehearsal};

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
    /// Breakers, budgets, limits and stored answers are neither asked nor changed, and no listener gets an event: an open breaker
    /// refuses nothing here, and a failure here opens none. Each request is billed like a call, so send a short one.
    pub async fn rehearse(&self, request: &Request) -> Rehearsal {
        let mut request = coding::decoded(request).into_owned();
        if let Some(identity) = &self.handles.identity {
            identity.mark(&mut request);
        }
        self.rehearser.run(&self.handles.fallbacks, request).await
    }
}

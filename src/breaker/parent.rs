//! The interface to the breaker above the breaker of one credential.

use std::fmt;

use tokio::time::Instant;

use crate::{
    availability::Availability,
    breaker::{Refusal, decision_input::CallerInfo},
    outcome::Outcome,
};

/// The breaker above the breaker of a route, shared by all credentials of its provider and model, as seen by the route.
pub(super) trait ParentBreaker: Send + Sync {
    /// Admits an attempt, with a permit of its own if it is not closed, or refuses it.
    fn admit(
        &self,
        now: Instant,
        random: f64,
        caller: CallerInfo,
    ) -> Result<Option<Box<dyn ParentPermit>>, Refusal>;

    /// Reports the outcome of an attempt of the route.
    fn report(&self, outcome: Outcome, now: Instant);

    /// Until when it lets no call through; `None` if it does.
    fn open_until(&self, now: Instant) -> Option<Instant>;

    /// The availability of the breaker for a call of this route.
    fn availability(&self, now: Instant) -> Availability;

    /// Treats the route as answered, after an explicit reset.
    fn reset(&self, now: Instant);
}

/// A permit of the breaker above.
pub(super) trait ParentPermit: fmt::Debug + Send + Sync {
    /// Records that the first event of the answer has arrived and the rest follows.
    fn begin(&mut self, now: Instant);

    /// Records the outcome of the attempt.
    fn end(self: Box<Self>, outcome: Outcome, now: Instant);
}

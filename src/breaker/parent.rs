//! What stands above the breaker of one credential.

use std::fmt;

use tokio::time::Instant;

use crate::{
    availability::Availability,
    breaker::{Refusal, decision_input::CallerInfo},
    outcome::Outcome,
};

/// What stands above the breaker of a route: that of all credentials of its provider and model, as the route sees it.
pub(super) trait ParentBreaker: Send + Sync {
    /// Lets an attempt through, with a permit of its own where it is not closed, or refuses it.
    fn admit(
        &self,
        now: Instant,
        random: f64,
        caller: CallerInfo,
    ) -> Result<Option<Box<dyn ParentPermit>>, Refusal>;

    /// An attempt of the route has ended so.
    fn report(&self, outcome: Outcome, now: Instant);

    /// Until when it lets none through; `None` if it does.
    fn open_until(&self, now: Instant) -> Option<Instant>;

    /// What a call may expect of it.
    fn availability(&self, now: Instant) -> Availability;

    /// Takes the route for one that was answered: a person knows better.
    fn reset(&self, now: Instant);
}

/// A permit of what stands above.
pub(super) trait ParentPermit: fmt::Debug + Send + Sync {
    /// The first event of the answer is there, and the rest follows.
    fn begin(&mut self, now: Instant);

    /// The attempt of the route has ended so.
    fn end(self: Box<Self>, outcome: Outcome, now: Instant);
}

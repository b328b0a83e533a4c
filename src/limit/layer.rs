//! The layer that puts the limits in front of a service.

use tower::Layer;

use super::{limits::Limits, policy::LimitPolicy, service::Limit};
use crate::{ConfigError, context::Routes, telemetry::EventSink};

/// A layer that puts the limits of each route in front of a service. Created by [`LimitPolicy::build`].
#[derive(Clone, Debug)]
pub struct LimitLayer {
    limits: Limits,
}

// === impl LimitPolicy ===

impl LimitPolicy {
    /// Builds the layer.
    ///
    /// # Errors
    ///
    /// If a value is not allowed. The error names the field, the value and the allowed values.
    pub fn build(self) -> Result<LimitLayer, ConfigError> {
        self.check()?;
        Ok(LimitLayer { limits: Limits::new(self, &Routes::new()) })
    }
}

// === impl LimitLayer ===

impl LimitLayer {
    /// Sets the sink for the events of the layer. The last sink set is used; without one, events only go to `tracing`.
    #[must_use]
    pub fn events(self, events: EventSink) -> Self {
        self.limits.send_to(events);
        self
    }

    /// Keeps the limits in that registry, which other layers can share. Call it before [`handle`](Self::handle).
    #[must_use]
    pub fn routes(self, routes: &Routes) -> Self {
        Self { limits: self.limits.kept_in(routes) }
    }

    /// Keeps the limits of another layer in place of its own: what is known of every route, calls that wait and attempts under
    /// way. The policy of this layer applies from now on, in the services of both. Call it before [`events`](Self::events) and
    /// [`handle`](Self::handle).
    #[must_use]
    pub fn state_of(self, other: &Self) -> Self {
        other.limits.adopt(self.limits.policy());
        other.clone()
    }

    /// The limits of all services that this layer creates.
    pub fn handle(&self) -> Limits {
        self.limits.clone()
    }
}

impl<S> Layer<S> for LimitLayer {
    type Service = Limit<S>;

    fn layer(&self, inner: S) -> Limit<S> {
        Limit { inner, limits: self.limits.clone() }
    }
}

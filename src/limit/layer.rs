//! The layer that puts the limits in front of a service.

use tower::Layer;

use super::{limits::Limits, policy::LimitPolicy, service::Limit};
use crate::{ConfigError, context::Routes, telemetry::EventSink};

/// Puts the limits of each route in front of a service. Made by [`LimitPolicy::build`].
#[derive(Clone, Debug)]
pub struct LimitLayer {
    limits: Limits,
}

// === impl LimitPolicy ===

impl LimitPolicy {
    /// The layer.
    ///
    /// # Errors
    ///
    /// Where a value is not allowed. The error names the field, the value and what is allowed.
    pub fn build(self) -> Result<LimitLayer, ConfigError> {
        self.check()?;
        Ok(LimitLayer { limits: Limits::new(self, &Routes::new()) })
    }
}

// === impl LimitLayer ===

impl LimitLayer {
    /// Sends the events of the layer to that sink. The last sink set is used; without one they go to `tracing` alone.
    #[must_use]
    pub fn events(self, events: EventSink) -> Self {
        self.limits.send_to(events);
        self
    }

    /// Keeps its limits in that registry, which the other layers can share; to be set before [`handle`](Self::handle) is asked
    /// for.
    #[must_use]
    pub fn routes(self, routes: &Routes) -> Self {
        Self { limits: self.limits.kept_in(routes) }
    }

    /// The limits of all services that this layer makes.
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

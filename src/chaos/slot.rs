//! The place of chaos in a client, which a build without the feature has as well.

use super::{ChaosLayer, ChaosPolicy, ChaosSwitch};
use crate::{ConfigError, telemetry::EventSink};

/// The policy of a client, if it has one.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChaosSlot(Option<ChaosPolicy>);

// === impl ChaosSlot ===

impl ChaosSlot {
    pub(crate) fn new(policy: ChaosPolicy) -> Self {
        Self(Some(policy))
    }

    /// The layer, if there is a policy.
    pub(crate) fn layer(self, events: &EventSink) -> Result<Option<ChaosLayer>, ConfigError> {
        let layer = self.0.map(ChaosPolicy::build).transpose()?;
        Ok(layer.map(|layer| layer.events(events.clone())))
    }

    pub(crate) fn policy(&self) -> Option<&ChaosPolicy> {
        self.0.as_ref()
    }

    pub(crate) fn switch(&self) -> Option<&ChaosSwitch> {
        self.0.as_ref().map(ChaosPolicy::switch)
    }
}

//! No faults: a build without the feature `chaos`.

use tower::layer::util::Identity;

use crate::{ConfigError, telemetry::EventSink};

/// The place of chaos in a client of a build without the feature.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChaosSlot;

// === impl ChaosSlot ===

impl ChaosSlot {
    /// No layer.
    pub(crate) fn layer(self, _: &EventSink) -> Result<Option<Identity>, ConfigError> {
        Ok(None)
    }
}

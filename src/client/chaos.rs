//! Faults on purpose.

use super::{Client, ClientBuilder};
use crate::chaos::{ChaosPolicy, ChaosSlot, ChaosSwitch};

impl Client {
    /// The switch of the faults that are injected on purpose, if the client was built with a [`ChaosPolicy`].
    #[cfg_attr(docsrs, doc(cfg(feature = "chaos")))]
    pub fn chaos(&self) -> Option<&ChaosSwitch> {
        self.chaos.switch()
    }
}

impl ClientBuilder {
    /// Injects faults on purpose while the switch of the policy is on. See [`chaos`](crate::chaos).
    #[cfg_attr(docsrs, doc(cfg(feature = "chaos")))]
    pub fn chaos(mut self, policy: ChaosPolicy) -> Self {
        self.chaos = ChaosSlot::new(policy);
        self
    }
}

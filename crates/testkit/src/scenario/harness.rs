//! The providers of one client in a scenario.

use crate::{Hosts, Provider};

/// The primary and the secondary provider of one client, and the URL of its calls.
///
/// In process the primary is `http://primary` and the secondary is `http://secondary`: see [`hosts`](Self::hosts).
#[derive(Clone, Debug)]
pub struct Harness {
    primary: Provider,
    secondary: Provider,
    url: String,
}

// === impl Harness ===

impl Harness {
    pub(super) fn new(primary: Provider, secondary: Provider) -> Self {
        let url = format!("http://{}", primary.name());
        Self { primary, secondary, url }
    }

    /// Sets the URL of the calls, without a path: `http://127.0.0.1:1234`.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.url = url.into();
        self
    }

    /// The primary.
    pub fn primary(&self) -> &Provider {
        &self.primary
    }

    /// The secondary.
    pub fn secondary(&self) -> &Provider {
        &self.secondary
    }

    /// The URL of the calls, without a path.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A transport in process to both providers, by their host names. It [reuses](Hosts::reusing_connections) connections.
    pub fn hosts(&self) -> Hosts {
        Hosts::new([self.primary.clone(), self.secondary.clone()]).reusing_connections()
    }

    /// Resets both providers and starts their clocks.
    pub(super) fn start(&self) {
        for provider in [&self.primary, &self.secondary] {
            provider.forget();
            provider.start_clock();
        }
    }
}

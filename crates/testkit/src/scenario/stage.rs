//! Where a client plays.

use crate::{Hosts, Provider};

/// Where one client plays: a primary and a secondary provider, and the URL that calls are made to.
///
/// In process the primary is at `http://primary`, the secondary at `http://secondary`: see [`hosts`](Self::hosts).
#[derive(Clone, Debug)]
pub struct Stage {
    primary: Provider,
    secondary: Provider,
    url: String,
}

// === impl Stage ===

impl Stage {
    pub(super) fn new(primary: Provider, secondary: Provider) -> Self {
        let url = format!("http://{}", primary.name());
        Self { primary, secondary, url }
    }

    /// Calls are made to that URL instead: `http://127.0.0.1:1234`, without a path.
    #[must_use]
    pub fn at(mut self, url: impl Into<String>) -> Self {
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

    /// The URL that calls are made to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A transport in process, to both by their host names. It [keeps](Hosts::keeping_connections) connections of its own.
    pub fn hosts(&self) -> Hosts {
        Hosts::new([self.primary.clone(), self.secondary.clone()]).keeping_connections()
    }

    pub(super) fn start(&self) {
        for provider in [&self.primary, &self.secondary] {
            provider.forget();
            provider.start_clock();
        }
    }
}

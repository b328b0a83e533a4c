//! The providers of the bot: those of the environment, or the embedded ones.

use std::io;

use evenkeel::fallback::Target;

use crate::embedded::EmbeddedProviders;

/// The address, the model and the key of a provider. It has no `Debug`, because of the key.
pub(crate) struct Endpoint {
    pub(crate) url: String,
    pub(crate) model: String,
    pub(crate) key: Option<String>,
}

/// The provider that is asked first, and the one that answers when it fails.
pub(crate) struct Endpoints {
    pub(crate) primary: Endpoint,
    pub(crate) backup: Option<Endpoint>,
}

pub(crate) struct Providers {
    pub(crate) endpoints: Endpoints,
    /// The controls of the embedded providers.
    pub(crate) embedded: Option<EmbeddedProviders>,
}

// === impl Endpoint ===

impl Endpoint {
    pub(crate) fn target(&self) -> Target {
        let target = Target::new(&self.url).model(&self.model);
        match &self.key {
            Some(key) => target.bearer(key),
            None => target,
        }
    }
}

// === impl Providers ===

impl Providers {
    /// The providers of the environment.
    pub(crate) fn of(endpoints: Endpoints) -> Self {
        Self { endpoints, embedded: None }
    }

    /// Two providers on loopback sockets.
    pub(crate) async fn embedded() -> io::Result<Self> {
        Ok(Self::with(EmbeddedProviders::on_sockets().await?))
    }

    pub(crate) fn with(embedded: EmbeddedProviders) -> Self {
        let [primary, backup] = embedded.endpoints();
        let endpoints = Endpoints { primary, backup: Some(backup) };
        Self { endpoints, embedded: Some(embedded) }
    }

    /// The providers in one line.
    pub(crate) fn describe(&self) -> String {
        let Endpoints { primary, backup } = &self.endpoints;
        let named = |endpoint: &Endpoint| format!("{} at {}", endpoint.model, endpoint.url);
        let backup =
            backup.as_ref().map_or(String::new(), |backup| format!(", then {}", named(backup)));
        let embedded = if self.embedded.is_some() { " (embedded)" } else { "" };
        format!("Questions go to {}{backup}{embedded}", named(primary))
    }
}

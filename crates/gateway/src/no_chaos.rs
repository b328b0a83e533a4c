//! No faults on purpose: a build without the feature `chaos`.

use evenkeel::{ClientBuilder, config::Settings};

/// The faults of a build that has none. A file with a table `[chaos]` is refused before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chaos;

// === impl Chaos ===

impl Chaos {
    /// The settings, which have no faults; an error if faults are asked for.
    pub(crate) fn settings(asked: bool, settings: Settings) -> Result<Settings, String> {
        match asked {
            true => Err("--chaos is set, and this program was built without the feature `chaos`; allowed is a build with it".into()),
            false => Ok(settings),
        }
    }

    pub(crate) fn of(_: &Settings, _: Option<&Self>) -> Self {
        Self
    }

    pub(crate) fn within(&self, client: ClientBuilder) -> ClientBuilder {
        client
    }

    pub(crate) fn start(&self) {}

    pub(crate) fn stop(&self) {
        tracing::warn!("SIGUSR2: this program has no chaos, and nothing changes");
    }

    pub(crate) fn state(&self) -> Option<&'static str> {
        None
    }
}

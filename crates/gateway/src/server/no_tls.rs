//! The replacement for TLS of the listener in a build without the feature `tls`: an error at start.

use evenkeel::{ConfigError, config::TlsKeys};

/// No TLS is built in: `new` fails.
#[derive(Debug)]
pub(crate) enum ServerTls {}

// === impl ServerTls ===

impl ServerTls {
    pub(crate) fn new(_: &TlsKeys) -> Result<Self, ConfigError> {
        let reason = "is set, and this build has no TLS; allowed is a build with the feature tls";
        Err(ConfigError::because("tls", reason))
    }

    pub(crate) async fn accept<I>(&self, _: I) -> Option<I> {
        match *self {}
    }
}

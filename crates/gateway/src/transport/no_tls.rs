//! The replacement for TLS in a build without the feature `tls`: an error at start.

use std::time::Duration;

use hyper_util::client::legacy::connect::HttpConnector;

/// No TLS is built in: `new` fails.
#[derive(Clone, Debug)]
pub(crate) enum Tls {}

/// Never constructed.
pub(crate) type TlsConnector = HttpConnector;

// === impl Tls ===

impl Tls {
    pub(crate) fn new() -> Result<Self, String> {
        Err("an upstream or a base_url is https://, and this build has no TLS; allowed is http://, or a build with the feature tls".into())
    }

    pub(crate) fn connector(&self, _: HttpConnector, _: Duration) -> TlsConnector {
        match *self {}
    }
}

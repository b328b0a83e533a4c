//! HTTPS: rustls around the connections of a plain connector.

use std::{
    error::Error as StdError,
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, MaybeHttpsStream};
use hyper_util::{
    client::{legacy::connect::HttpConnector, proxy::matcher::Matcher},
    rt::TokioIo,
};
use rustls::{ClientConfig, crypto::ring};
use tokio::{net::TcpStream, time::timeout};
use tower::Service;

use super::env_proxy::{BoxError, EnvProxy};

/// The shared state of all connectors: trusted certificates, TLS sessions, the proxy of the environment.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    config: Arc<ClientConfig>,
    proxy: Arc<Matcher>,
}

/// Opens TLS connections; TCP, proxy and handshake together have one time limit.
#[derive(Clone, Debug)]
pub(crate) struct TlsConnector {
    https: HttpsConnector<EnvProxy>,
    limit: Duration,
}

// === impl Tls ===

impl Tls {
    /// Loads the certificates of the system, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    pub(crate) fn new() -> Result<Self, String> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS cannot be set up: {error}"))?;
        let builder = builder.with_native_roots().map_err(|error| {
            format!(
                "an upstream is https://, and no certificate to trust was found ({error}); allowed is a system with certificates, or SSL_CERT_FILE"
            )
        })?;
        let config = Arc::new(builder.with_no_client_auth());
        Ok(Self { config, proxy: Arc::new(Matcher::from_env()) })
    }

    /// Puts TLS around `http`. `limit` bounds connecting, the handshake included.
    pub(crate) fn connector(&self, http: HttpConnector, limit: Duration) -> TlsConnector {
        let mut https =
            HttpsConnector::from((EnvProxy::new(http, self.proxy.clone()), self.config.clone()));
        https.enforce_https();
        TlsConnector { https, limit }
    }
}

// === impl TlsConnector ===

impl Service<Uri> for TlsConnector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.https.poll_ready(cx)
    }

    fn call(&mut self, upstream: Uri) -> Self::Future {
        let (connecting, limit) = (self.https.call(upstream), self.limit);
        Box::pin(async move {
            match timeout(limit, connecting).await {
                Ok(connected) => connected.map_err(unwrapped),
                Err(_) => {
                    Err(io::Error::new(io::ErrorKind::TimedOut, "no TLS connection in time").into())
                }
            }
        })
    }
}

/// The error of rustls in an I/O error, which hides it from `source`; else the error as it is.
fn unwrapped(error: BoxError) -> BoxError {
    let mut inner: Option<&(dyn StdError + Send + Sync + 'static)> = Some(&*error);
    while let Some(next) = inner {
        if let Some(tls) = next.downcast_ref::<rustls::Error>() {
            return tls.clone().into();
        }
        inner = next.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    }
    error
}

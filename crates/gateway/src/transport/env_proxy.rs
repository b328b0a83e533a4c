//! The proxy that the environment names for HTTPS.

use std::{
    error::Error as StdError,
    fmt,
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::Uri;
use hyper_util::{
    client::{
        legacy::connect::{HttpConnector, proxy::Tunnel},
        proxy::matcher::Matcher,
    },
    rt::TokioIo,
};
use tokio::net::TcpStream;
use tower::Service;

/// The error of a connector.
pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

/// Connects directly, or through the proxy that `HTTPS_PROXY` or `ALL_PROXY` names, unless `NO_PROXY` lists the host.
///
/// The proxy has to be `http://`: it receives a `CONNECT`, and sees the host and the port.
#[derive(Clone)]
pub(crate) struct EnvProxy {
    http: HttpConnector,
    matcher: Arc<Matcher>,
}

// === impl EnvProxy ===

impl EnvProxy {
    /// `matcher` is read from the environment once for all connectors.
    pub(crate) fn new(mut http: HttpConnector, matcher: Arc<Matcher>) -> Self {
        // The connector is also used for https:// URLs: TLS is added outside of it.
        http.enforce_http(false);
        Self { http, matcher }
    }
}

impl Service<Uri> for EnvProxy {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.http.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, upstream: Uri) -> Self::Future {
        let Some(proxy) = self.matcher.intercept(&upstream) else {
            let connecting = self.http.call(upstream);
            return Box::pin(async { connecting.await.map_err(Into::into) });
        };
        let scheme = proxy.uri().scheme_str().unwrap_or("no scheme");
        if scheme != "http" {
            let wrong = format!("the proxy of the environment has {scheme}; allowed is http://");
            return Box::pin(async { Err(io::Error::other(wrong).into()) });
        }
        let mut tunnel = Tunnel::new(proxy.uri().clone(), self.http.clone());
        if let Some(auth) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(auth.clone());
        }
        let connecting = tunnel.call(upstream);
        Box::pin(async { connecting.await.map_err(Into::into) })
    }
}

impl fmt::Debug for EnvProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The matcher may hold the password of a proxy.
        f.write_str("EnvProxy")
    }
}

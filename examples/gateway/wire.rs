//! Sends a request as it is.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body as AxumBody;
use evenkeel::{
    Body, Error, Request, Response,
    adapter::{DialedConnector, DialedLayer, Reconnect, Reqwest},
    outcome::Outcome,
};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tower::{Layer, Service};

use super::upload::Upload;

/// The transport: plain HTTP by hyper, which leaves path and query byte for byte as they are; HTTPS by reqwest, whose URLs
/// are those of browsers (`/a/../b` is `/b` there).
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    plain: legacy::Client<DialedConnector<HttpConnector>, AxumBody>,
    secure: Option<reqwest::Client>,
}

/// How long an idle connection is kept: less than the 60 s of AWS load balancers and the 75 s of nginx.
const IDLE: Duration = Duration::from_secs(50);
/// TCP keep-alive: the silence before the first probe and between two probes, and the number of probes.
const PROBE: Duration = Duration::from_secs(15);
const PROBES: u32 = 3;
/// The least time after which a connection is dead on which sent data was not acknowledged. The connect limit, if longer.
const ACKNOWLEDGED: Duration = Duration::from_secs(5);

// === impl Wire ===

impl Wire {
    /// Three of them: kept connections that are dead cost no caller anything.
    pub(crate) fn reconnecting(connect: Duration, https: bool) -> Result<Reconnect<Self>, String> {
        let new = |idle: usize| Self::new(connect, https, idle);
        let unpooled = new(0)?;
        if unpooled.secure.as_ref().is_some_and(|client| !speaks_tls(client)) {
            return Err("an upstream or a base_url is https://, and this build speaks no TLS; allowed is http://, or a build with --features reqwest/rustls".into());
        }
        Ok(Reconnect::over([new(usize::MAX)?, new(usize::MAX)?], unpooled))
    }

    fn new(connect: Duration, https: bool, idle: usize) -> Result<Self, String> {
        let plain = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(idle)
            .build(DialedLayer::default().layer(connector(connect)));
        let secure = if https { Some(secure(connect, idle)?) } else { None };
        Ok(Self { plain, secure })
    }
}

impl Service<Request> for Wire {
    type Response = Response;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (mut parts, bytes) = request.into_parts();
        let upload = parts.extensions.remove::<Upload>();
        // What a caller put in for evenkeel is of no use to hyper.
        parts.extensions.clear();
        let wire = self.clone();
        Box::pin(async move {
            let upload = match upload.map(|upload| upload.take()) {
                // Cannot happen: it is marked to be sent once.
                Some(None) => return Err(Error::new(Outcome::NotSent { retry_in: None })),
                upload => upload.flatten(),
            };
            match (parts.uri.scheme_str(), wire.secure) {
                (Some("https"), Some(client)) => {
                    let body = match upload {
                        Some(body) => reqwest::Body::wrap_stream(body.into_data_stream()),
                        None => bytes.into(),
                    };
                    send(&client, http::Request::from_parts(parts, body)).await
                }
                _ => {
                    let body = upload.unwrap_or_else(|| bytes.into());
                    let request = http::Request::from_parts(parts, body);
                    let response = wire.plain.request(request).await.map_err(failed)?;
                    Ok(response.map(Body::wrap))
                }
            }
        })
    }
}

fn connector(connect: Duration) -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(connect));
    connector.set_nodelay(true);
    connector.set_keepalive(Some(PROBE));
    connector.set_keepalive_interval(Some(PROBE));
    connector.set_keepalive_retries(Some(PROBES));
    acknowledged(connector, connect)
}

#[cfg(target_os = "linux")]
fn acknowledged(mut connector: HttpConnector, connect: Duration) -> HttpConnector {
    connector.set_tcp_user_timeout(Some(connect.max(ACKNOWLEDGED)));
    connector
}

#[cfg(not(target_os = "linux"))]
fn acknowledged(connector: HttpConnector, _: Duration) -> HttpConnector {
    connector
}

fn failed(error: legacy::Error) -> Error {
    let outcome = if error.is_connect() { Outcome::Unreachable } else { Outcome::ConnectionLost };
    Error::new(outcome).with_source(error)
}

// === HTTPS ===

/// A client that speaks TLS, where this build has any.
fn secure(connect: Duration, idle: usize) -> Result<reqwest::Client, String> {
    let builder = Reqwest::builder(connect).pool_max_idle_per_host(idle);
    // Only a build with TLS has this, and it fails only for want of it: the scheme alone is refused otherwise.
    builder.build().map_err(|error| format!("TLS cannot be had: {error}"))
}

/// Whether it would even try. Asked of a port of this machine where nothing listens: nothing is sent.
fn speaks_tls(client: &reqwest::Client) -> bool {
    let probe = client.get("https://127.0.0.1:0/");
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return false;
    };
    // A thread of its own: this may be called within a runtime.
    let asked = std::thread::spawn(move || runtime.block_on(probe.send()).map(drop)).join();
    let Ok(Err(error)) = asked else { return true };
    let mut next: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = next {
        if error.to_string().contains("scheme is not http") {
            return false;
        }
        next = error.source();
    }
    true
}

async fn send(
    client: &reqwest::Client,
    request: http::Request<reqwest::Body>,
) -> Result<Response, Error> {
    let failed = |error: reqwest::Error| {
        let outcome =
            if error.is_connect() { Outcome::Unreachable } else { Outcome::ConnectionLost };
        // Keys travel in URLs.
        Error::new(outcome).with_source(error.without_url())
    };
    let request = reqwest::Request::try_from(request).map_err(failed)?;
    let response: http::Response<reqwest::Body> =
        client.execute(request).await.map_err(failed)?.into();
    Ok(response.map(|body| Body::wrap(body.map_err(reqwest::Error::without_url))))
}

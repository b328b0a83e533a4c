//! `--probe`: asks a gateway that is running whether it answers.
//!
//! For health checks where there is no shell and no curl, such as in a container: the gateway is its own client. One `GET`, which
//! answers with status 200 or fails within [`LIMIT`].

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use bytes::Bytes;
use evenkeel::config::Config;
use http::{Request, StatusCode, Uri};
use tokio::time::timeout;
use tower::ServiceExt;

use crate::{
    config_file::{ConfigFile, one_line, read},
    health::HEALTHZ,
    options::Options,
    setup::DEFAULT_LISTEN,
    transport::Transport,
};

/// The result of a probe that could not be made or failed: one line each.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ProbeError {
    /// The command line or the file is wrong: nothing was asked.
    Config(String),
    /// There was no answer, or another status than 200.
    Failed(String),
}

/// The time for the connection and the head of the answer together. Less than the usual time limits of health checks, so that
/// the line with the reason is printed before the probe is killed.
const LIMIT: Duration = Duration::from_secs(3);

/// Parses the URL of a probe: `http://HOST:PORT`, with a path or without.
pub(crate) fn url(text: &str) -> Result<Uri, String> {
    let uri = text.parse::<Uri>().ok();
    let whole = |uri: &Uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.authority().is_some_and(|it| !it.as_str().contains('@'))
    };
    uri.filter(whole).ok_or_else(|| {
        "is no URL; allowed is one such as http://127.0.0.1:8080/healthz, without credentials"
            .to_owned()
    })
}

/// Asks the gateway that the command line and its file describe, or the URL that `--probe` names. Returns the line to print.
pub(crate) async fn probe(options: &Options) -> Result<String, ProbeError> {
    let url = match options.probe.clone().flatten() {
        Some(url) => url,
        None => own_url(options).map_err(ProbeError::Config)?,
    };
    let tls = url.scheme_str() == Some("https");
    let transport = Transport::reconnecting(LIMIT, tls).map_err(ProbeError::Config)?;
    let shown = format!("{url}");
    let request = Request::get(with_path(url)).body(Bytes::new());
    let request =
        request.map_err(|_| ProbeError::Config(format!("{shown} cannot be requested")))?;
    let failed = |what: String| Err(ProbeError::Failed(one_line(format!("{shown} {what}"))));
    match timeout(LIMIT, transport.oneshot(request)).await {
        Ok(Ok(response)) if response.status() == StatusCode::OK => Ok(format!("{shown} is up")),
        Ok(Ok(response)) => failed(format!("has status {}", response.status().as_u16())),
        Ok(Err(error)) => failed(format!("does not answer: {error}")),
        Err(_) => failed(format!("does not answer within {LIMIT:?}")),
    }
}

/// `/healthz` at the address that the gateway listens on.
fn own_url(options: &Options) -> Result<Uri, String> {
    let listen = match (options.listen, &options.config) {
        (Some(listen), _) => Some(listen),
        // Keys are not needed to find the address, and a health check may not have them.
        (None, Some(file)) => {
            let file = ConfigFile::parse(file, &read(file)?)?;
            let settings = Config::settings(&file.config, |_| Some("not-used".to_owned()));
            let server = settings.map_err(|error| file.error(&error))?.server;
            if server.access.tls.is_some() {
                return Err(
                    "the listener has [tls]; allowed is --probe=URL with a name of its certificate"
                        .to_owned(),
                );
            }
            server.listen
        }
        (None, None) => None,
    };
    let address = reachable(listen.unwrap_or(DEFAULT_LISTEN));
    if address.port() == 0 {
        return Err("the address to listen on has port 0; allowed is --probe=URL then".to_owned());
    }
    let url = format!("http://{address}{HEALTHZ}");
    url.parse().map_err(|_| format!("{url} is no URL; allowed is --probe=URL"))
}

/// The address at which a listener is reached from its own host.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// A URL without a path means `/healthz`.
fn with_path(url: Uri) -> Uri {
    if url.path() != "/" {
        return url;
    }
    let mut parts = url.clone().into_parts();
    parts.path_and_query = Some(http::uri::PathAndQuery::from_static(HEALTHZ));
    Uri::from_parts(parts).unwrap_or(url)
}

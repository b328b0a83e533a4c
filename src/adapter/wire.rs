//! The reqwest client that we build: what keeps its connections alive, and ends them when they are dead.

use std::time::Duration;

use reqwest::{ClientBuilder, redirect, retry};

use super::dialed::DialedLayer;

/// A connection is kept idle for so long.
const IDLE: Duration = Duration::from_secs(50);
/// Silence of so long is probed, as often, and so many times.
const PROBE: Duration = Duration::from_secs(15);
const PROBES: u32 = 3;
/// The least that what was sent may take to be acknowledged.
#[cfg(target_os = "linux")]
const ACKNOWLEDGED: Duration = Duration::from_secs(5);
#[cfg(feature = "http2")]
const PING: Duration = Duration::from_secs(10);
#[cfg(feature = "http2")]
const PONG: Duration = Duration::from_secs(5);

/// A client whose every request is ours. See [`Reqwest::new`](super::Reqwest::new) for the values.
pub(super) fn builder(connect: Duration) -> ClientBuilder {
    let builder = reqwest::Client::builder()
        .connect_timeout(connect)
        .retry(retry::never())
        .redirect(redirect::Policy::none())
        .pool_idle_timeout(IDLE)
        .tcp_keepalive(PROBE)
        .tcp_keepalive_interval(PROBE)
        .tcp_keepalive_retries(PROBES)
        .connector_layer(DialedLayer::default());
    pinged(acknowledged(builder, connect))
}

#[cfg(target_os = "linux")]
fn acknowledged(builder: ClientBuilder, connect: Duration) -> ClientBuilder {
    builder.tcp_user_timeout(connect.max(ACKNOWLEDGED))
}

#[cfg(not(target_os = "linux"))]
fn acknowledged(builder: ClientBuilder, _: Duration) -> ClientBuilder {
    builder
}

#[cfg(feature = "http2")]
fn pinged(builder: ClientBuilder) -> ClientBuilder {
    builder.http2_keep_alive_interval(PING).http2_keep_alive_timeout(PONG)
}

#[cfg(not(feature = "http2"))]
fn pinged(builder: ClientBuilder) -> ClientBuilder {
    builder
}

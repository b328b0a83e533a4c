//! The limits of the gateway itself, and the profile of requests that are not chats.

use std::time::Duration;

use evenkeel::{
    Profile,
    breaker::BreakerPolicy,
    config::{EdgeKeys, Settings},
    retry::RetryPolicy,
    timeout::TimeoutPolicy,
};

/// The limits of the gateway, and the profile of its other requests.
#[derive(Clone, Debug)]
pub(crate) struct GatewayLimits {
    /// For everything but calls in a known dialect: uploads, images, lists. One time limit fits them all.
    pub(crate) other: Profile,
    pub(crate) connect: Duration,
    /// How long requests in flight may take after the signal to shut down.
    pub(crate) drain: Duration,
    /// The largest request body that is buffered, in bytes.
    pub(crate) body: usize,
    pub(crate) edges: EdgeLimits,
}

/// The limits of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EdgeLimits {
    /// Connections with a place for calls, at a time.
    pub(crate) connections: usize,
    /// The most of them for one peer, if that is set.
    pub(crate) connections_per_peer: Option<usize>,
    /// For the head of a request, from its first byte.
    pub(crate) head: Duration,
    /// Between two requests of a connection.
    pub(crate) idle: Duration,
    /// How long the body of a request may stand still.
    pub(crate) read: Duration,
    /// How long a peer may take no bytes of its answer.
    pub(crate) write: Duration,
    /// The bytes of answers that wait for slow readers, over all connections.
    pub(crate) write_buffer: usize,
}

const MIB: usize = 1024 * 1024;

// === impl GatewayLimits ===

impl GatewayLimits {
    pub(crate) fn new(settings: &Settings) -> Self {
        let set = &settings.server;
        Self {
            other: other_profile(settings),
            connect: set.connect,
            drain: set.drain.unwrap_or(Duration::from_secs(30)),
            body: set.body.unwrap_or(32 * MIB),
            edges: EdgeLimits::new(&set.edges),
        }
    }
}

// === impl EdgeLimits ===

impl EdgeLimits {
    fn new(set: &EdgeKeys) -> Self {
        let default = Self::default();
        Self {
            connections: set.connections.unwrap_or(default.connections),
            connections_per_peer: set.connections_per_peer,
            head: set.head_timeout.unwrap_or(default.head),
            idle: set.idle_timeout.unwrap_or(default.idle),
            read: set.read_timeout.unwrap_or(default.read),
            write: set.write_timeout.unwrap_or(default.write),
            write_buffer: set.write_buffer.unwrap_or(default.write_buffer),
        }
    }
}

impl Default for EdgeLimits {
    fn default() -> Self {
        Self {
            connections: 1024,
            connections_per_peer: None,
            // A head is one or two packets. nginx allows 60 s, Apache 20 to 40 s; a lost packet is sent again after 1, 3 and 7 s.
            head: Duration::from_secs(15),
            // More than the 60 s of AWS load balancers, which have to be the first to close. nginx has 75 s.
            idle: Duration::from_secs(75),
            // A phone in a tunnel.
            read: Duration::from_secs(30),
            write: Duration::from_secs(30),
            // 64 KiB, which is what hyper holds, for each of 1024 connections.
            write_buffer: 64 * MIB,
        }
    }
}

/// The profile of requests that are not chats: an upload or an image may use all of its time, and does not count as slow.
fn other_profile(settings: &Settings) -> Profile {
    let set = &settings.server;
    let other = set.other.unwrap_or(Duration::from_secs(600));
    let timeout = TimeoutPolicy::default().attempt(other).first_event(other).idle(other);
    let retry = RetryPolicy::default().min_attempt_time(Duration::from_secs(1).min(other / 4));
    let profile = Profile::interactive()
        .deadline(other)
        .connect(set.connect.min(other))
        .timeout(timeout)
        .retry(retry.retries(set.retries.unwrap_or(2)))
        .breaker(BreakerPolicy::default().slow_ratio(None).probe_timeout(other));
    settings.error_codes.iter().cloned().fold(profile, Profile::error_codes)
}

//! The keys that only a server has a use for.

use std::{net::SocketAddr, time::Duration};

use http::Uri;

use super::{access::AccessKeys, edges::EdgeKeys};
use crate::{Profile, config::source::Source};

/// The keys that only a server has a use for, as they are set.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ServerKeys {
    /// The address to listen on.
    pub listen: Option<SocketAddr>,
    /// Where requests are sent first: scheme, host and port.
    pub upstream: Option<Uri>,
    /// The time limit of a connection to an upstream.
    pub connect: Duration,
    /// The most retries on the same route, if they are set.
    pub retries: Option<u32>,
    /// The time limit of a request that is not a chat.
    pub other: Option<Duration>,
    /// The time for answers in progress at shutdown.
    pub drain: Option<Duration>,
    /// The largest request body that is buffered, in bytes.
    pub body: Option<usize>,
    /// Who may use it, and how its listener is secured.
    pub access: AccessKeys,
    /// The keys of connections.
    pub edges: EdgeKeys,
    /// The most bytes of request bodies that are held at a time.
    pub body_budget: Option<usize>,
    /// The longest deadline that a caller can set for a chat: that of the profile, or the time of a cold start if that is longer.
    pub longest_deadline: Duration,
}

// === impl ServerKeys ===

impl ServerKeys {
    pub(super) fn new(source: &Source, profile: &Profile, access: AccessKeys) -> Self {
        let limits = &source.file.limits;
        Self {
            listen: source.file.listen.as_ref().map(|listen| listen.0),
            upstream: source.file.upstream.as_ref().map(|upstream| upstream.0.clone()),
            connect: profile.connect.within(profile.deadline).time(),
            retries: limits.retries.map(|retries| retries.u32()),
            other: limits.other.map(|other| other.0),
            drain: limits.drain.map(|drain| drain.0),
            body: limits.body.map(|body| body.usize()),
            access,
            edges: EdgeKeys::new(limits, &source.file.edges),
            body_budget: limits.body_budget.map(|budget| budget.usize()),
            longest_deadline: longest_deadline(profile),
        }
    }
}

fn longest_deadline(profile: &Profile) -> Duration {
    profile.cold_start.map_or(profile.deadline, |cold| profile.deadline.max(cold.time()))
}

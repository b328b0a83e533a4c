//! The keys of the connections of the gateway.

use std::time::Duration;

use crate::config::tables::{EdgesTable, LimitsTable};

/// The keys of the connections of the gateway, as they are set.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct EdgeKeys {
    /// The most connections at a time.
    pub connections: Option<usize>,
    /// The most connections of one address.
    pub connections_per_peer: Option<usize>,
    /// The time limit of the head of a request.
    pub head_timeout: Option<Duration>,
    /// The time limit of a connection between two requests.
    pub idle_timeout: Option<Duration>,
    /// How long the body of a request may stand still.
    pub read_timeout: Option<Duration>,
    /// How long a client may read nothing of its answer.
    pub write_timeout: Option<Duration>,
    /// The bytes of answers that wait for slow readers, over all connections.
    pub write_buffer: Option<usize>,
}

// === impl EdgeKeys ===

impl EdgeKeys {
    pub(super) fn new(limits: &LimitsTable, edges: &EdgesTable) -> Self {
        Self {
            connections: limits.connections.map(|connections| connections.usize()),
            connections_per_peer: edges.connections_per_peer.map(|most| most.usize()),
            head_timeout: edges.head_timeout.map(|time| time.0),
            idle_timeout: edges.idle_timeout.map(|time| time.0),
            read_timeout: edges.read_timeout.map(|time| time.0),
            write_timeout: edges.write_timeout.map(|time| time.0),
            write_buffer: edges.write_buffer.map(|bytes| bytes.usize()),
        }
    }
}

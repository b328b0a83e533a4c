//! The connections of the gateway.

use serde::Deserialize;

use crate::config::values::{Time, Whole};

/// Gateway: its connections. Those that wait for their own client are closed in favour of new ones, so that no client keeps out
/// others.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct EdgesTable {
    /// Gateway: connections of one address, or of 64 bits of an IPv6 address, at a time. Default: a quarter of `limits.connections`, and all
    /// of them on the loopback interface. Behind a load balancer, whose address all clients have, set it to `limits.connections`.
    pub(in crate::config) connections_per_peer: Option<Whole<1, 100_000>>,
    /// Gateway: the head of a request, from its first byte. Default: 15s.
    pub(in crate::config) head_timeout: Option<Time>,
    /// Gateway: a connection between two requests. A load balancer in front has to close first: it should have less. Default: 75s.
    pub(in crate::config) idle_timeout: Option<Time>,
    /// Gateway: how long the body of a request may stand still. 1 KiB a second is always enough. Default: 30s.
    pub(in crate::config) read_timeout: Option<Time>,
    /// Gateway: how long a client may read nothing of its answer while there is more than the buffers of its connection hold. Default: 30s.
    pub(in crate::config) write_timeout: Option<Time>,
    /// Gateway: the bytes of answers that wait for slow readers, over all connections. Above it an answer gets its next part only once the
    /// last is sent, and the readers that have taken nothing for longest are closed. Default: 67108864.
    pub(in crate::config) write_buffer: Option<Whole<65_536, { 64 * 1024 * 1024 * 1024 }>>,
}

//! The whole configuration.

use std::net::SocketAddr;

use http::Uri;
use serde::Deserialize;

use super::{
    AdminTable, BreakerTable, BufferTable, CacheTable, CallerTable, CannedTable, ChaosTable,
    EdgesTable, IdentityTable, LimitsTable, OutcomeTable, RetryTable, StoredTable, TargetTable,
    TlsTable, TrafficTable,
};
use crate::{
    config::values::{
        Continuation, HostPattern, Name, One, Parsed, PathPattern, ProfileName, WebOrigin,
    },
    stream::CommitPolicy,
};

/// A configuration of evenkeel: profile, targets, fallbacks and limits. A duration is a text with its unit, such as "30s", or a
/// number of seconds. Keys of APIs are never written here: `key_env` names the variable of the environment that holds one.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "evenkeel"))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct File {
    /// Gateway: the address and port to listen on. Default: 127.0.0.1:8080.
    pub(in crate::config) listen: Option<Parsed<SocketAddr>>,
    /// Where requests are sent first, with the keys of their callers: an origin such as http://127.0.0.1:11434. In the library, where
    /// a request is addressed. Default: the first of the fallbacks, if that is a target.
    pub(in crate::config) upstream: Option<Parsed<Uri>>,
    /// Gateway: hosts that requests may be addressed to, besides names without a dot and addresses of this machine: `name`,
    /// `name:port`, `*.name` or `*`. They are checked if a target has a key of its own, or if this is set. Default: none.
    pub(in crate::config) allow_hosts: Option<Vec<Parsed<HostPattern>>>,
    /// Gateway: origins of web pages that may send requests, such as `https://chat.example.com`. They are checked if a target has a
    /// key of its own, or if this is set. Default: none.
    pub(in crate::config) allow_origins: Option<Vec<Parsed<WebOrigin>>>,
    /// Gateway: paths that are sent with the key of the first target, besides those of the known APIs: /v1/files/* for all below
    /// /v1/files. Paths are limited if that target has a key of its own, or if this is set. Default: none.
    pub(in crate::config) allow_paths: Option<Vec<Parsed<PathPattern>>>,
    /// The profile that all defaults are from. Default: interactive.
    pub(in crate::config) profile: Option<One<ProfileName>>,
    /// The fallbacks by name, first to last; `primary` as the first is where a request is addressed. Default: all targets, then
    /// stored answers, then canned replies, in the order of the file.
    pub(in crate::config) fallbacks: Option<Vec<Parsed<Name>>>,
    /// What happens when a stream fails after its head. Default: error.
    pub(in crate::config) mid_stream_failure: Option<One<Continuation>>,
    /// Whether calls wait for recovery, until their deadline, when all fallbacks are unavailable. Default: that of the profile.
    pub(in crate::config) wait_for_recovery: Option<bool>,
    /// When a stream is handed to its caller: at its first content, or when it is complete. Default: that of the profile.
    pub(in crate::config) commit: Option<One<CommitPolicy>>,
    /// The targets: other models, keys, regions, providers.
    pub(in crate::config) target: Vec<TargetTable>,
    /// Stored answers as fallbacks.
    pub(in crate::config) stored: Vec<StoredTable>,
    /// Canned replies as fallbacks.
    pub(in crate::config) canned: Vec<CannedTable>,
    /// Gateway: the callers that are known by a token. With at least one, a call without a known token is refused.
    pub(in crate::config) caller: Vec<CallerTable>,
    /// Gateway: TLS of the listener. Default: none.
    pub(in crate::config) tls: Option<TlsTable>,
    /// The time limits of calls, and the limits of the gateway itself.
    pub(in crate::config) limits: LimitsTable,
    /// Gateway: its connections.
    pub(in crate::config) edges: EdgesTable,
    /// The waits between retries, and their budget.
    pub(in crate::config) retry: RetryTable,
    /// When a route is closed to calls, and how it recovers.
    pub(in crate::config) breaker: BreakerTable,
    /// The limits of the key of a route, and second copies of late calls.
    pub(in crate::config) traffic: TrafficTable,
    /// How much of an answer is held back.
    pub(in crate::config) buffer: BufferTable,
    /// Stored answers. Default: none, unless a fallback is one.
    pub(in crate::config) cache: Option<CacheTable>,
    /// The names that identify callers, in addition to the usual ones.
    pub(in crate::config) identity: Option<IdentityTable>,
    /// Gateway: the listener of the operator: a page with the state of the routes, its API, and metrics.
    pub(in crate::config) admin: AdminTable,
    /// The meanings of errors that evenkeel does not know, or knows otherwise. The first table that matches counts.
    pub(in crate::config) outcome: Vec<OutcomeTable>,
    /// Faults that are injected on purpose. Default: none.
    pub(in crate::config) chaos: Option<ChaosTable>,
}

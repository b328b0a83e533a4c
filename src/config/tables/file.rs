//! The whole configuration.

use std::net::SocketAddr;

use http::Uri;
use serde::Deserialize;

use super::{
    BreakerTable, BufferTable, CacheTable, CannedTable, ChaosTable, IdentityTable, LimitsTable,
    OutcomeTable, RetryTable, StoredTable, TargetTable, TrafficTable,
};
use crate::{
    config::values::{Continuation, Name, One, Parsed, ProfileName},
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
    /// The time limits of calls, and the limits of the gateway itself.
    pub(in crate::config) limits: LimitsTable,
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
    /// The meanings of errors that evenkeel does not know, or knows otherwise. The first table that matches counts.
    pub(in crate::config) outcome: Vec<OutcomeTable>,
    /// Faults that are injected on purpose. Default: none.
    pub(in crate::config) chaos: Option<ChaosTable>,
}

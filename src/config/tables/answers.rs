//! What is held back of an answer, what is stored, and for whom.

use http::HeaderName;
use serde::Deserialize;

use crate::config::values::{Filled, Parsed, Time, Whole};

/// How much of an answer is held back.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct BufferTable {
    /// The most events of a stream without content. Default: 64.
    pub(in crate::config) hold_events: Option<Whole<1, { u32::MAX as u64 }>>,
    /// The most bytes of a stream without content. Default: 262144.
    pub(in crate::config) hold_bytes: Option<Whole<1, { 1024 * 1024 * 1024 }>>,
    /// The most bytes of an answer in one piece, or of a stream that has to be complete; a larger one is passed through. Default:
    /// 33554432.
    pub(in crate::config) collect: Option<Whole<1, { 1024 * 1024 * 1024 }>>,
}

/// Stored answers; each caller has its own.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct CacheTable {
    /// The age up to which a stored answer takes the place of a call. Default: never.
    pub(in crate::config) serve_fresh_for: Option<Time>,
    /// Whether equal calls at the same time share one attempt. Default: false.
    pub(in crate::config) coalesce: Option<bool>,
    /// The bytes of the largest answer that is stored. Default: 1048576.
    pub(in crate::config) max_entry_bytes: Option<Whole<1, { 1024 * 1024 * 1024 }>>,
    /// The bytes of the largest request whose answer is stored, looked up or shared. Default: 8388608.
    pub(in crate::config) max_request_bytes: Option<Whole<1, { 1024 * 1024 * 1024 }>>,
    /// Whether answers with tool calls are stored. Default: false.
    pub(in crate::config) store_tool_calls: Option<bool>,
    /// The longest lookup. Default: 250ms.
    pub(in crate::config) lookup_timeout: Option<Time>,
    /// The headers of a request that change the answer.
    pub(in crate::config) vary: Vec<Parsed<HeaderName>>,
}

/// The names that identify callers, in addition to the usual ones, and the names that are forwarded to another origin.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct IdentityTable {
    /// Headers that identify who pays: its own breakers, budgets, limits and stored answers.
    pub(in crate::config) payer: Vec<Parsed<HeaderName>>,
    /// Query keys that identify who pays.
    pub(in crate::config) payer_query: Vec<Parsed<Filled>>,
    /// Headers that identify who an answer is for: its own stored answers.
    pub(in crate::config) user: Vec<Parsed<HeaderName>>,
    /// Headers that identify no caller, whatever their name.
    pub(in crate::config) ignore: Vec<Parsed<HeaderName>>,
    /// The header that identifies who pays, in place of a credential that is made for each call.
    pub(in crate::config) named_by: Option<Parsed<HeaderName>>,
    /// Headers that are forwarded to another origin.
    pub(in crate::config) forward: Vec<Parsed<HeaderName>>,
    /// Query keys that are forwarded to another origin.
    pub(in crate::config) forward_query: Vec<Parsed<Filled>>,
}

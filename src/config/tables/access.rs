//! The tables that say who may use a gateway, and how its listener is secured.

use serde::Deserialize;

use crate::{
    config::values::{Filled, Name, One, Parsed, Time, TokenHash, Variable, Whole},
    context::Priority,
};

/// A caller that the gateway knows by its token. With at least one of these tables a call without a known token is refused.
#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct CallerTable {
    /// Gateway: the name of the caller in logs.
    pub(in crate::config) name: Parsed<Name>,
    /// Gateway: the variable of the environment that holds its token. One of the three `token_` keys is required.
    pub(in crate::config) token_env: Option<Parsed<Variable>>,
    /// Gateway: a file that holds its token, such as a mounted secret. It is read again when it changes.
    pub(in crate::config) token_file: Option<Parsed<Filled>>,
    /// Gateway: the SHA-256 of its token, as 64 hexadecimal digits.
    pub(in crate::config) token_sha256: Option<Parsed<TokenHash>>,
    /// Gateway: the tenant that its answers are stored for. Default: its name.
    pub(in crate::config) tenant: Option<Parsed<Name>>,
    /// Gateway: the fallbacks it may use, by name. Default: all.
    pub(in crate::config) fallbacks: Option<Vec<Parsed<Name>>>,
    /// Gateway: the models it may request; a `*` matches any text. Default: all.
    pub(in crate::config) models: Option<Vec<Parsed<Filled>>>,
    /// Gateway: the priority of its calls; it may request a lower one. Default: interactive.
    pub(in crate::config) priority: Option<One<Priority>>,
    /// Gateway: the most time of its calls; it may request less. Default: that of the profile.
    pub(in crate::config) deadline: Option<Time>,
    /// Gateway: its limits.
    #[serde(default)]
    pub(in crate::config) limits: CallerLimitsTable,
}

/// The limits of one caller. A call beyond them is refused with 429, and no upstream is asked.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct CallerLimitsTable {
    /// Gateway: requests a minute. Default: no limit.
    pub(in crate::config) requests: Option<Whole<1, 1_000_000>>,
    /// Gateway: concurrent calls, each until the end of its answer. Default: no limit.
    pub(in crate::config) concurrency: Option<Whole<1, 100_000>>,
}

/// TLS of the listener of the gateway.
#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct TlsTable {
    /// Gateway: a PEM file with the certificate and those of its issuers. It is read again when it changes.
    pub(in crate::config) certificate: Parsed<Filled>,
    /// Gateway: a PEM file with the key of the certificate. It is read again when it changes.
    pub(in crate::config) key: Parsed<Filled>,
}

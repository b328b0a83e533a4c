//! The operator's listener of the gateway.

use std::net::SocketAddr;

use serde::Deserialize;

use crate::config::values::{Filled, Parsed, Variable};

/// Gateway: the listener of the operator: a page with the state of the routes, its API, and metrics.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct AdminTable {
    /// Gateway: the address and port of the operator's listener. Beyond the loopback interface it needs a token. Default: none.
    pub(in crate::config) listen: Option<Parsed<SocketAddr>>,
    /// Gateway: the variable of the environment that holds the operator's token. Default: no token.
    pub(in crate::config) token_env: Option<Parsed<Variable>>,
    /// Gateway: a file that holds the operator's token, in place of `token_env`. It is read at the start.
    pub(in crate::config) token_file: Option<Parsed<Filled>>,
}

//! The meanings of errors.

use serde::Deserialize;

use crate::config::values::{ErrorStatus, Filled, Meaning, One, Parsed};

/// The meaning of an error that matches every condition of the table, or of a finish reason.
#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct OutcomeTable {
    /// The meaning.
    pub(in crate::config) is: One<Meaning>,
    /// The host or the name of a target. Default: any.
    pub(in crate::config) provider: Option<Parsed<Filled>>,
    /// The status. Default: any.
    pub(in crate::config) status: Option<ErrorStatus>,
    /// A code in the body; a * at an end matches anything. Default: any.
    pub(in crate::config) code: Option<Parsed<Filled>>,
    /// The words that all occur in the message. Default: any.
    pub(in crate::config) words: Option<Vec<Parsed<Filled>>>,
    /// A finish reason; it excludes the other conditions.
    pub(in crate::config) finish_reason: Option<Parsed<Filled>>,
}

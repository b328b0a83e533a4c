//! The error of a field with an invalid value.

use std::{error::Error as StdError, fmt};

/// The field, its value and what is allowed there.
#[derive(Debug)]
pub(super) struct FieldError {
    field: String,
    value: String,
    allowed: String,
}

// === impl FieldError ===

impl FieldError {
    /// An error: `field` has the value `value`, and `allowed` describes the valid ones.
    pub(super) fn new(
        field: impl Into<String>,
        value: impl fmt::Debug,
        allowed: impl Into<String>,
    ) -> Self {
        Self { field: field.into(), value: format!("{value:?}"), allowed: allowed.into() }
    }

    pub(super) fn field(&self) -> &str {
        &self.field
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, value, allowed } = self;
        write!(f, "{field} is {value}; allowed is {allowed}")
    }
}

impl StdError for FieldError {}

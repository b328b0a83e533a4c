//! One change of a field.

use std::borrow::Cow;

use super::path;

/// One change of a request. A field is named by its path from the top of the body, with dots between the names:
/// `generationConfig.seed`.
///
/// Nothing is changed in a request without the field, except by [`Set`](Self::Set).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldChange {
    /// Gives a field another name; its value stays. If the request has a value under the other name already, that value stays and
    /// the field is removed.
    #[non_exhaustive]
    Rename {
        /// The path of the field.
        from: Cow<'static, str>,
        /// Its new path, in the same object.
        to: Cow<'static, str>,
    },
    /// Removes a field.
    #[non_exhaustive]
    Drop {
        /// The path of the field.
        field: Cow<'static, str>,
    },
    /// Removes a field unless it has this value.
    #[non_exhaustive]
    DropUnless {
        /// The path of the field.
        field: Cow<'static, str>,
        /// The JSON of the value that stays. Numbers are compared by their value.
        json: Cow<'static, str>,
    },
    /// Removes a field if its value is `null`.
    #[non_exhaustive]
    DropNull {
        /// The path of the field.
        field: Cow<'static, str>,
    },
    /// Sets a field, whether or not the request has it.
    #[non_exhaustive]
    Set {
        /// The path of the field.
        field: Cow<'static, str>,
        /// The JSON of its value.
        json: Cow<'static, str>,
    },
    /// Gives messages with the role `developer` the role `system`.
    DeveloperAsSystem,
}

// === impl FieldChange ===

impl FieldChange {
    /// Gives a field another name.
    pub fn rename(from: impl Into<Cow<'static, str>>, to: impl Into<Cow<'static, str>>) -> Self {
        Self::Rename { from: from.into(), to: to.into() }
    }

    /// Removes a field.
    pub fn drop(field: impl Into<Cow<'static, str>>) -> Self {
        Self::Drop { field: field.into() }
    }

    /// Removes a field unless its value is this JSON.
    pub fn drop_unless(
        field: impl Into<Cow<'static, str>>,
        json: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::DropUnless { field: field.into(), json: json.into() }
    }

    /// Removes a field whose value is `null`.
    pub fn drop_null(field: impl Into<Cow<'static, str>>) -> Self {
        Self::DropNull { field: field.into() }
    }

    /// Sets a field to a value.
    pub fn set(field: impl Into<Cow<'static, str>>, value: &serde_json::Value) -> Self {
        Self::Set { field: field.into(), json: value.to_string().into() }
    }

    /// The path of the field that is changed.
    pub fn field(&self) -> &str {
        match self {
            Self::Rename { from: field, .. }
            | Self::Drop { field }
            | Self::DropUnless { field, .. }
            | Self::DropNull { field }
            | Self::Set { field, .. } => field,
            Self::DeveloperAsSystem => "role",
        }
    }

    /// The allowed values, if the change is not allowed: of a field that decides what is asked of whom, or with a path that no
    /// request has.
    pub fn check(&self) -> Result<(), &'static str> {
        path::check(self.field())?;
        match self {
            Self::Rename { from, to } => path::check_rename(from, to),
            _ => Ok(()),
        }
    }
}

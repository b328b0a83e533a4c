//! The error of an incident that could not be read or parsed.

use std::{error::Error as StdError, fmt, io, path::Path};

use crate::incident::field_error::FieldError;

/// An incident that could not be read or parsed: the file, the line or the field, the value and what is allowed.
#[derive(Debug)]
pub struct IncidentError {
    file: Option<Box<str>>,
    kind: IncidentErrorKind,
}

#[derive(Debug)]
enum IncidentErrorKind {
    Read(io::Error),
    Json(serde_json::Error),
    Field(FieldError),
}

// === impl IncidentError ===

impl IncidentError {
    pub(super) fn in_file(mut self, path: &Path) -> Self {
        self.file = Some(path.display().to_string().into());
        self
    }

    /// The line of the file, if its JSON is malformed or does not have the right fields.
    pub fn line(&self) -> Option<usize> {
        match &self.kind {
            IncidentErrorKind::Json(error) => Some(error.line()),
            _ => None,
        }
    }

    /// The field with an invalid value, such as `phases_min[2].from`.
    pub fn field(&self) -> Option<&str> {
        match &self.kind {
            IncidentErrorKind::Field(error) => Some(error.field()),
            _ => None,
        }
    }
}

impl fmt::Display for IncidentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}: ")?;
        }
        match &self.kind {
            IncidentErrorKind::Read(error) => error.fmt(f),
            IncidentErrorKind::Json(error) => error.fmt(f),
            IncidentErrorKind::Field(error) => error.fmt(f),
        }
    }
}

impl StdError for IncidentError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.kind {
            IncidentErrorKind::Read(error) => Some(error),
            IncidentErrorKind::Json(error) => Some(error),
            IncidentErrorKind::Field(error) => Some(error),
        }
    }
}

impl From<io::Error> for IncidentError {
    fn from(error: io::Error) -> Self {
        Self { file: None, kind: IncidentErrorKind::Read(error) }
    }
}

impl From<serde_json::Error> for IncidentError {
    fn from(error: serde_json::Error) -> Self {
        Self { file: None, kind: IncidentErrorKind::Json(error) }
    }
}

impl From<FieldError> for IncidentError {
    fn from(error: FieldError) -> Self {
        Self { file: None, kind: IncidentErrorKind::Field(error) }
    }
}

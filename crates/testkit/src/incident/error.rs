//! Why an incident could not be read.

use std::{error::Error as StdError, fmt, io, path::Path};

use crate::incident::field_error::FieldError;

/// An incident that could not be read: the file, the place in it, the value and what is allowed.
#[derive(Debug)]
pub struct IncidentError {
    file: Option<Box<str>>,
    what: What,
}

#[derive(Debug)]
enum What {
    Read(io::Error),
    Json(serde_json::Error),
    Wrong(FieldError),
}

// === impl IncidentError ===

impl IncidentError {
    pub(super) fn in_file(mut self, path: &Path) -> Self {
        self.file = Some(path.display().to_string().into());
        self
    }

    /// The line of the file, where it is not JSON of the right shape.
    pub fn line(&self) -> Option<usize> {
        match &self.what {
            What::Json(error) => Some(error.line()),
            _ => None,
        }
    }

    /// The field that holds a value it must not, such as `phases_min[2].from`.
    pub fn field(&self) -> Option<&str> {
        match &self.what {
            What::Wrong(error) => Some(error.field()),
            _ => None,
        }
    }
}

impl fmt::Display for IncidentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}: ")?;
        }
        match &self.what {
            What::Read(error) => error.fmt(f),
            What::Json(error) => error.fmt(f),
            What::Wrong(error) => error.fmt(f),
        }
    }
}

impl StdError for IncidentError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.what {
            What::Read(error) => Some(error),
            What::Json(error) => Some(error),
            What::Wrong(error) => Some(error),
        }
    }
}

impl From<io::Error> for IncidentError {
    fn from(error: io::Error) -> Self {
        Self { file: None, what: What::Read(error) }
    }
}

impl From<serde_json::Error> for IncidentError {
    fn from(error: serde_json::Error) -> Self {
        Self { file: None, what: What::Json(error) }
    }
}

impl From<FieldError> for IncidentError {
    fn from(error: FieldError) -> Self {
        Self { file: None, what: What::Wrong(error) }
    }
}

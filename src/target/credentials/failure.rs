//! Why an attempt has no credentials.

use std::{error::Error as StdError, fmt, sync::Arc};

use crate::{BoxError, telemetry::CredentialFailure};

/// The reason why an attempt has no credentials, shared by all calls that waited for them. Its source is the error of the
/// [`CredentialSource`](super::CredentialSource), which only its caller can print.
#[derive(Clone)]
pub(crate) struct CredentialError {
    why: CredentialFailure,
    detail: Option<&'static str>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

// === impl CredentialError ===

impl CredentialError {
    pub(crate) fn new(why: CredentialFailure) -> Self {
        Self { why, detail: None, source: None }
    }

    /// Adds what was wrong, in words without a secret.
    pub(crate) fn because(self, detail: &'static str) -> Self {
        Self { detail: Some(detail), ..self }
    }

    /// The source returned an error.
    pub(crate) fn failed(source: BoxError) -> Self {
        Self { source: Some(source.into()), ..Self::new(CredentialFailure::Failed) }
    }

    pub(crate) fn why(&self) -> CredentialFailure {
        self.why
    }
}

impl fmt::Debug for CredentialError {
    /// The error of the source may hold a secret, and stays out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CredentialError({:?})", self.why)
    }
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.why {
            CredentialFailure::Failed => "the source of the credentials failed",
            CredentialFailure::TimedOut => "the source of the credentials did not answer in time",
            CredentialFailure::Panicked => "the source of the credentials panicked",
            CredentialFailure::Invalid => "the source returned invalid credentials",
            CredentialFailure::OtherHost => {
                "the credentials are for another host than the request goes to"
            }
        })?;
        self.detail.map_or(Ok(()), |detail| write!(f, ": {detail}"))
    }
}

impl StdError for CredentialError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

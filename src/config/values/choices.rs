//! The lists of names.

use super::Choice;
use crate::{
    dialect::{Dialect, Operation, Prefill},
    fallback::{Compatibility, FallbackOn},
    outcome::{CodeClass, FinishClass, Rejection},
    stream::{CommitPolicy, MidStreamFailure},
    telemetry::FaultKind,
};

/// The profile that a configuration starts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProfileName {
    /// A person waits: [`Profile::interactive`](crate::Profile::interactive).
    #[default]
    Interactive,
    /// Nobody waits: [`Profile::pipeline`](crate::Profile::pipeline).
    Pipeline,
}

/// What happens to a stream that fails while it is read.
pub(in crate::config) type Continuation = MidStreamFailure;

/// The meaning of an error, or of a finish reason.
#[derive(Clone, Copy, Debug)]
pub(in crate::config) struct Meaning {
    pub(in crate::config) name: &'static str,
    pub(in crate::config) error: Option<CodeClass>,
    pub(in crate::config) finish: Option<FinishClass>,
}

// === impl ProfileName ===

impl ProfileName {
    /// The name in a configuration: `interactive` or `pipeline`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Pipeline => "pipeline",
        }
    }
}

impl Choice for ProfileName {
    fn choices() -> Vec<(&'static str, Self)> {
        [Self::Interactive, Self::Pipeline].map(|name| (name.as_str(), name)).into()
    }
}

// === impl Choice ===

impl Choice for MidStreamFailure {
    fn choices() -> Vec<(&'static str, Self)> {
        vec![("error", Self::Error), ("continue", Self::Continue)]
    }
}

impl Choice for CommitPolicy {
    fn choices() -> Vec<(&'static str, Self)> {
        vec![("first-content", Self::FirstContent), ("complete", Self::Complete)]
    }
}

impl Choice for Dialect {
    fn choices() -> Vec<(&'static str, Self)> {
        Self::ALL.map(|dialect| (dialect.name(), dialect)).into()
    }
}

impl Choice for Prefill {
    fn choices() -> Vec<(&'static str, Self)> {
        vec![
            ("message", Self::Message),
            ("prefix", Self::Prefix),
            ("continue-final-message", Self::ContinueFinalMessage),
        ]
    }
}

impl Choice for Operation {
    fn choices() -> Vec<(&'static str, Self)> {
        vec![
            ("chat", Self::Chat),
            ("embeddings", Self::Embeddings),
            ("images", Self::Images),
            ("videos", Self::Videos),
            ("audio", Self::Audio),
            ("files", Self::Files),
            ("batches", Self::Batches),
            ("models", Self::Models),
        ]
    }
}

impl Choice for FaultKind {
    fn choices() -> Vec<(&'static str, Self)> {
        Self::ALL.iter().map(|kind| (kind.name(), *kind)).collect()
    }
}

impl Choice for Compatibility {
    fn choices() -> Vec<(&'static str, Self)> {
        Self::names().filter_map(|name| Some((name, Self::named(name)?))).collect()
    }
}

impl Choice for Meaning {
    fn choices() -> Vec<(&'static str, Self)> {
        use CodeClass as Error;
        use FinishClass as Finish;
        let rejected = |why| Some(Error::Rejected(why));
        [
            ("unavailable", Some(Error::Unavailable), Some(Finish::Unavailable)),
            ("rate_limited", Some(Error::RateLimited), None),
            ("quota_exhausted", Some(Error::QuotaExhausted), None),
            ("too_large", Some(Error::TooLarge), None),
            ("blocked", Some(Error::Blocked), Some(Finish::Blocked)),
            ("rejected", rejected(Rejection::Request), None),
            ("rejected_parameter", rejected(Rejection::Parameter), None),
            ("rejected_model", rejected(Rejection::Model), None),
            ("rejected_credential", rejected(Rejection::Credential), None),
            ("rejected_payment", rejected(Rejection::Payment), None),
            ("rejected_permission", rejected(Rejection::Permission), None),
            ("rejected_gateway", rejected(Rejection::Gateway), None),
            ("declined", Some(Error::Declined), None),
            ("unfinished", Some(Error::Unfinished), Some(Finish::Unfinished)),
            ("complete", None, Some(Finish::Complete)),
            ("limit", None, Some(Finish::Limit)),
        ]
        .map(|(name, error, finish)| (name, Self { name, error, finish }))
        .into()
    }
}

/// The names of the failures that a fallback takes, but for those of a tool (`tool:NAME`).
pub(in crate::config) const FAILURES: [(&str, FallbackOn); 8] = [
    ("too_large", FallbackOn::TooLarge),
    ("rate_limited", FallbackOn::RateLimited),
    ("quota", FallbackOn::Quota),
    ("unavailable", FallbackOn::Unavailable),
    ("slow", FallbackOn::Slow),
    ("blocked", FallbackOn::Blocked),
    ("rejected", FallbackOn::Rejected),
    ("no_access", FallbackOn::NoAccess),
];

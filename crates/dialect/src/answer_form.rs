//! The form of an answer, where its dialect has several.

use http::Uri;

use crate::{Dialect, model_path::asks_for_events};

/// The form of an answer, for dialects with several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerForm {
    /// The only form, or the usual form.
    #[default]
    Usual,
    /// A stream of Gemini as one JSON array.
    Array,
    /// Ollama's answer to `/api/generate`.
    Generate,
}

// === impl AnswerForm ===

impl AnswerForm {
    /// The form that a request to that URI asks for.
    pub(crate) fn of(uri: &Uri, dialect: Option<Dialect>) -> Self {
        match dialect {
            Some(Dialect::Gemini) if !asks_for_events(uri.query().unwrap_or_default()) => {
                Self::Array
            }
            Some(Dialect::Ollama) if uri.path().trim_end_matches('/').ends_with("/generate") => {
                Self::Generate
            }
            _ => Self::Usual,
        }
    }

    /// The end of Ollama's path for this form.
    pub(crate) fn of_ollama(self) -> &'static str {
        match self {
            Self::Generate => "/generate",
            Self::Usual | Self::Array => "/chat",
        }
    }
}

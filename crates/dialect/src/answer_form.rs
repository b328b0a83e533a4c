//! The form of an answer, where its dialect has several.

use http::Uri;

use crate::{Dialect, model_path::asks_for_events};

/// Which of the forms of its dialect an answer is to have, where there are several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerForm {
    /// The only one, or the usual one.
    #[default]
    Usual,
    /// A stream of Gemini's as one JSON array.
    Array,
    /// Ollama's answer to a bare prompt.
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

    /// The end of the path at which Ollama is asked for it.
    pub(crate) fn of_ollama(self) -> &'static str {
        match self {
            Self::Generate => "/generate",
            Self::Usual | Self::Array => "/chat",
        }
    }
}

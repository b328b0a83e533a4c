//! A rule for the errors of a provider.

use http::StatusCode;

use super::{
    class::CodeClass,
    spelling::{matches, tail},
};

/// A rule for the errors of a provider: an error that matches every condition of it has its meaning.
///
/// # Defaults
///
/// No condition: such a rule matches no error. [`words`](Self::words) are compared without regard to case, and all of them
/// have to occur in the message; a code is compared as [`ErrorCodeTable`](super::ErrorCodeTable) describes.
///
/// ```
/// use evenkeel_dialect::outcome::{CodeClass, ErrorCodeTable, ErrorRule, Outcome, classify_with};
/// use http::{HeaderMap, StatusCode};
///
/// let asleep = ErrorRule::new(CodeClass::Unavailable)
///     .provider("api.example.com")
///     .status(StatusCode::BAD_REQUEST)
///     .words(["model", "asleep"]);
/// let codes = ErrorCodeTable::default().with_rule(asleep).at("api.example.com");
/// let body = br#"{"error":{"message":"The model is asleep"}}"#;
/// let verdict = classify_with(&codes, StatusCode::BAD_REQUEST, &HeaderMap::new(), body);
/// assert_eq!(verdict.outcome(), Outcome::Unavailable { wait: None });
/// ```
#[derive(Clone, Debug)]
pub struct ErrorRule {
    pub(super) meaning: CodeClass,
    provider: Option<Box<str>>,
    status: Option<StatusCode>,
    pub(super) code: Option<Box<str>>,
    words: Vec<String>,
}

/// An error that rules are compared with.
#[derive(Clone, Copy)]
pub(in crate::outcome) struct RuleInput<'a> {
    /// The status of the response, or for an error inside a 200 the one that it names.
    pub(in crate::outcome) status: Option<u16>,
    pub(in crate::outcome) codes: &'a [&'a str],
    pub(in crate::outcome) message: &'a str,
}

// === impl ErrorRule ===

impl ErrorRule {
    /// A rule without a condition.
    pub fn new(meaning: CodeClass) -> Self {
        Self { meaning, provider: None, status: None, code: None, words: Vec::new() }
    }

    /// The provider: its host, the name of its route, or all hosts below a domain (`*.openai.azure.com`). Default: any.
    #[must_use]
    pub fn provider(mut self, provider: &str) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// The status of the response, or for an error inside a 200 the status that it names.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }

    /// A code of the error. A `*` at an end matches anything.
    #[must_use]
    pub fn code(mut self, code: &str) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Words, or parts of sentences, that all occur in the message of the error.
    #[must_use]
    pub fn words<'a>(mut self, words: impl IntoIterator<Item = &'a str>) -> Self {
        self.words.extend(words.into_iter().map(str::to_lowercase));
        self
    }

    /// Whether a code is the only condition, apart from the provider.
    pub(super) fn is_by_code(&self) -> bool {
        self.status.is_none() && self.words.is_empty()
    }

    pub(super) fn has_provider(&self) -> bool {
        self.provider.is_some()
    }

    pub(super) fn is_at(&self, at: Option<&str>) -> bool {
        let Some(provider) = &self.provider else { return true };
        let Some(at) = at else { return false };
        let host = at.rsplit_once(':').map_or(at, |(host, _)| host);
        match provider.strip_prefix('*') {
            Some(end) => host.len() > end.len() && tail(host, end.len()).eq_ignore_ascii_case(end),
            None => provider.eq_ignore_ascii_case(at) || provider.eq_ignore_ascii_case(host),
        }
    }

    /// Whether every condition holds. `message` is in lower case.
    pub(super) fn holds(&self, error: RuleInput<'_>, message: &str) -> bool {
        let status = self.status.is_none_or(|it| error.status == Some(it.as_u16()));
        let code = self.code.as_ref();
        status
            && code.is_none_or(|known| error.codes.iter().any(|code| matches(known, code)))
            && self.words.iter().all(|word| message.contains(word.as_str()))
    }
}

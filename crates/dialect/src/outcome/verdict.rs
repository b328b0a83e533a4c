//! An outcome with what the provider said about it.

use std::{fmt, sync::Arc};

use http::StatusCode;

use super::{LocalTrouble, Outcome};

/// What an attempt came to, with the provider's own code and its wish about retries.
///
/// Every response that went through evenkeel's `Classify` layer carries one in its extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    outcome: Outcome,
    again: Option<bool>,
    code: Option<Code>,
    /// The code is in no table, and the status decided.
    unknown: bool,
    /// What this machine lacked to send it.
    local: Option<LocalTrouble>,
    /// The provider turned the request away before any work.
    turned_away: bool,
}

/// A provider's code for an error, such as `insufficient_quota`: at most 64 characters of `[A-Za-z0-9_.:/-]`.
///
/// Anything else in its place is not kept, nor is what looks like a key, so that no prompt, answer or key can travel in it; nor is a word that stands
/// where a text for people may stand (`{"error":"…"}`), unless it is spelled as a code or known as one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Code(Arc<str>);

// === impl Verdict ===

impl Verdict {
    /// A verdict with nothing but an outcome.
    pub fn new(outcome: Outcome) -> Self {
        Self { outcome, again: None, code: None, unknown: false, local: None, turned_away: false }
    }

    /// Adds the provider's wish: `x-should-retry`, exact and lower case.
    #[must_use]
    pub fn should_retry(mut self, again: Option<bool>) -> Self {
        self.again = again;
        self
    }

    /// Adds the provider's code.
    #[must_use]
    pub fn with_code(mut self, code: Option<Code>) -> Self {
        self.code = code;
        self
    }

    /// Says that the code is in no table, so that the status decided.
    pub(super) fn by_status_alone(mut self, unknown: bool) -> Self {
        self.unknown = unknown;
        self
    }

    /// An attempt that this machine could not send.
    pub fn not_sent(trouble: LocalTrouble) -> Self {
        let refused = Self::new(Outcome::NotSent { retry_in: None });
        Self { local: Some(trouble), ..refused }
    }

    /// What this machine lacked to send the attempt.
    pub fn local_trouble(&self) -> Option<LocalTrouble> {
        self.local
    }

    /// Says whether the provider turned the request away before any work, as its status tells.
    pub(super) fn turned_away(mut self, by: Option<StatusCode>) -> Self {
        let status = by.map(|status| status.as_u16());
        self.turned_away = matches!(status, Some(409 | 421 | 425 | 498 | 503 | 529));
        self
    }

    /// Whether the provider may have done what was asked, or be doing it: nothing tells that it was not begun.
    pub fn may_have_acted(&self) -> bool {
        !self.turned_away && self.outcome.may_have_acted()
    }

    /// What it came to.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The provider's code for it.
    pub fn code(&self) -> Option<&Code> {
        self.code.as_ref()
    }

    /// The code, where it is in no table and so the status decided: one to add to [`ErrorCodeTable`](crate::outcome::ErrorCodeTable).
    pub fn unknown_code(&self) -> Option<&Code> {
        self.code.as_ref().filter(|_| self.unknown)
    }

    /// Whether the same request may be sent to the same route again: the outcome allows it, or it was this machine that could
    /// not send it; and the provider did not forbid it.
    pub fn is_retryable(&self) -> bool {
        let allowed = self.outcome.is_retryable() || self.local.is_some();
        allowed && self.again != Some(false)
    }
}

impl From<Outcome> for Verdict {
    fn from(outcome: Outcome) -> Self {
        Self::new(outcome)
    }
}

// === impl Code ===

impl Code {
    /// The longest code that is kept, in bytes.
    pub const MAX: usize = 64;

    /// A code, if the text can be one.
    pub fn new(text: &str) -> Option<Self> {
        let fits = !text.is_empty() && text.len() <= Self::MAX;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.:/-".contains(&b);
        (fits && text.bytes().all(plain) && !is_key(text)).then(|| Self(text.into()))
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a text may be a secret that a server said back in place of a code: it begins as keys do, or has digits among letters
/// for longer than any word.
fn is_key(text: &str) -> bool {
    let known = ["sk-", "sk_", "gsk_", "xai-", "AIza", "AKIA", "ASIA", "hf_", "eyJ", "pk_"];
    let long = |part: &str| {
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        part.len() >= 20 && digits >= 3 && digits < part.len()
    };
    known.iter().any(|start| text.starts_with(start))
        || text.split(|c: char| !c.is_ascii_alphanumeric()).any(long)
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

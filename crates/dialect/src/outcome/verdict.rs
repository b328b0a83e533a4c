//! An outcome with the provider's information about it.

use std::{fmt, sync::Arc, time::Duration};

use http::StatusCode;

use super::{LocalTrouble, Outcome, ProviderError};

/// The outcome of an attempt, with the provider's error code and its `x-should-retry`.
///
/// Every response of evenkeel's `Classify` layer has one in its extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    outcome: Outcome,
    again: Option<bool>,
    code: Option<Code>,
    /// Whether the code is in no table, so that the status decided.
    unknown: bool,
    /// The reason this machine could not send the attempt.
    local: Option<LocalTrouble>,
    /// The reason TLS failed, if no connection was made because of it.
    tls: Option<Arc<str>>,
    /// Whether the provider rejected the request before any work.
    turned_away: bool,
    /// The error of the provider inside a 200.
    provider: Option<ProviderError>,
}

/// A provider's code for an error, such as `insufficient_quota`: at most 64 characters of `[A-Za-z0-9_.:/-]`.
///
/// Any other text, or a text that looks like a key, is not stored, so that a code cannot leak a prompt, an answer or a key. A
/// word in a field that may hold a message (`{"error":"…"}`) is stored only if it is spelled as a code or known as one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Code(Arc<str>);

// === impl Verdict ===

impl Verdict {
    /// A verdict with only an outcome.
    pub fn new(outcome: Outcome) -> Self {
        Self {
            outcome,
            again: None,
            code: None,
            unknown: false,
            local: None,
            tls: None,
            turned_away: false,
            provider: None,
        }
    }

    /// Sets the value of `x-should-retry`, exact and lower case.
    #[must_use]
    pub fn should_retry(mut self, again: Option<bool>) -> Self {
        self.again = again;
        self
    }

    /// Sets the provider's code.
    #[must_use]
    pub fn with_code(mut self, code: Option<Code>) -> Self {
        self.code = code;
        self
    }

    /// Sets the error of the provider inside a 200.
    pub(super) fn with_provider_error(mut self, error: Option<ProviderError>) -> Self {
        self.provider = error;
        self
    }

    /// The error that the provider sent inside a 200, with its message for the caller. `None` for an answer with another
    /// status: its body has the message.
    pub fn provider_error(&self) -> Option<&ProviderError> {
        self.provider.as_ref()
    }

    /// Sets whether the code is in no table, so that the status decided.
    pub(super) fn by_status_alone(mut self, unknown: bool) -> Self {
        self.unknown = unknown;
        self
    }

    /// Sets whether the code is a finish reason that is in no table.
    pub(crate) fn by_finish_reason(self, unknown: bool) -> Self {
        self.by_status_alone(unknown)
    }

    /// An attempt that this machine could not send.
    pub fn not_sent(trouble: LocalTrouble) -> Self {
        let refused = Self::new(Outcome::NotSent { retry_in: None });
        Self { local: Some(trouble), ..refused }
    }

    /// Sets the time until another attempt may be sent, if this one was not sent.
    #[must_use]
    pub fn with_retry_in(mut self, retry_in: Option<Duration>) -> Self {
        if let Outcome::NotSent { .. } = self.outcome {
            self.outcome = Outcome::NotSent { retry_in };
        }
        self
    }

    /// The reason this machine could not send the attempt.
    pub fn local_trouble(&self) -> Option<LocalTrouble> {
        self.local
    }

    /// Sets the reason TLS failed, in the words of the TLS library, such as `invalid peer certificate: UnknownIssuer`.
    #[must_use]
    pub fn with_tls_failure(mut self, reason: impl Into<Arc<str>>) -> Self {
        self.tls = Some(reason.into());
        self
    }

    /// The reason TLS failed, if no connection was made because of it.
    pub fn tls_failure(&self) -> Option<&str> {
        self.tls.as_deref()
    }

    /// Sets whether the provider rejected the request before any work, by its status.
    pub(super) fn turned_away(mut self, by: Option<StatusCode>) -> Self {
        let status = by.map(|status| status.as_u16());
        self.turned_away = matches!(status, Some(409 | 421 | 425 | 498 | 503 | 529));
        self
    }

    /// Whether the provider may have executed the request, or be executing it: nothing shows that it did not start.
    pub fn may_have_acted(&self) -> bool {
        !self.turned_away && self.outcome.may_have_acted()
    }

    /// The outcome.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The provider's error code.
    pub fn code(&self) -> Option<&Code> {
        self.code.as_ref()
    }

    /// The code, if it is in no table and the status decided: one to add to [`ErrorCodeTable`](crate::outcome::ErrorCodeTable).
    pub fn unknown_code(&self) -> Option<&Code> {
        self.code.as_ref().filter(|_| self.unknown)
    }

    /// Whether the same request may be sent to the same route again: the outcome allows it, or this machine could not send it,
    /// and the provider did not forbid it.
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
    /// The longest code that is stored, in bytes.
    pub const MAX: usize = 64;

    /// A code, if the text is a valid one.
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

/// Whether a text begins as the keys of large providers do.
pub(crate) fn begins_as_a_key(text: &str) -> bool {
    let known = ["sk-", "sk_", "gsk_", "xai-", "AIza", "AKIA", "ASIA", "hf_", "eyJ", "pk_"];
    known.iter().any(|start| text.starts_with(start))
}

/// Whether a text may be a secret that a server repeats in place of a code: it starts as keys do, or has a run of letters and
/// digits longer than any word.
fn is_key(text: &str) -> bool {
    let long = |part: &str| {
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        part.len() >= 20 && digits >= 3 && digits < part.len()
    };
    begins_as_a_key(text) || text.split(|c: char| !c.is_ascii_alphanumeric()).any(long)
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

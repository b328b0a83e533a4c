//! The configuration of the deadline.

use std::time::Duration;

use http::HeaderName;

use super::policy::more_than_zero;
use crate::ConfigError;

/// The deadline of a call.
///
/// # Defaults
///
/// - [`limit`](Self::limit): 30 s, as long as a user waits for a bot before giving up
/// - [`header`](Self::header): `evenkeel-deadline-ms`
/// - [`cold_start`](Self::cold_start): none
#[derive(Clone, Debug)]
pub struct DeadlinePolicy {
    pub(super) limit: Duration,
    pub(super) header: Option<HeaderName>,
    pub(super) cold_start: Option<Duration>,
}

// === impl DeadlinePolicy ===

impl DeadlinePolicy {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The time limit of a call: to its first content if it is streamed, else to its whole answer. Default: 30 s.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The header in which a caller may set the deadline of one call, in whole milliseconds from now, if its client cannot set a
    /// [`Deadline`](crate::context::Deadline) in the request's extensions; with both, the sooner one applies. The header is
    /// removed from the request. `None`: no header is read.
    #[must_use]
    pub fn header(mut self, name: impl Into<Option<HeaderName>>) -> Self {
        self.header = name.into();
        self
    }

    /// The time limit of a call whose model may have to be loaded first, if it is longer than [`limit`](Self::limit): see
    /// [`TimeoutPolicy::cold_start`](super::TimeoutPolicy::cold_start). A deadline of the caller applies as it is. Default: none.
    #[must_use]
    pub fn cold_start(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.cold_start = limit.into();
        self
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        more_than_zero("deadline.limit", self.limit)
    }
}

impl Default for DeadlinePolicy {
    fn default() -> Self {
        let header = HeaderName::from_static("evenkeel-deadline-ms");
        Self { limit: Duration::from_secs(30), header: Some(header), cold_start: None }
    }
}

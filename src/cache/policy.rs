//! Configures what is stored, and when a stored answer is served.

use std::{fmt, sync::Arc, time::Duration};

use http::HeaderName;

use super::Store;
use crate::ConfigError;

/// Configures what is stored, and when a stored answer is served.
///
/// # Defaults
///
/// * stored: complete, successful answers of the first target, of at most 1 MiB, without tool calls
/// * requests of more than 8 MiB are neither stored nor compared ([`max_request_bytes`](Self::max_request_bytes))
/// * served: never in place of a call ([`serve_fresh_for`](Self::serve_fresh_for)); in an outage by
///   [`Fallback::stored`](crate::fallback::Fallback::stored)
/// * equal calls in flight are sent separately ([`coalesce`](Self::coalesce))
/// * a lookup in the store may take 250 ms
#[derive(Clone)]
pub struct CachePolicy {
    pub(super) store: Arc<dyn Store>,
    /// Whether the policy created the store.
    pub(super) own_store: bool,
    pub(super) serve_fresh_for: Option<Duration>,
    pub(super) coalesce: bool,
    pub(super) max_entry_bytes: usize,
    pub(super) max_request_bytes: usize,
    pub(super) store_tool_calls: bool,
    pub(super) lookup_timeout: Duration,
    pub(super) vary: Vec<HeaderName>,
}

// === impl CachePolicy ===

#[cfg(feature = "cache")]
impl CachePolicy {
    /// Creates a policy with a store in this process: see [`Memory`](super::Memory).
    pub fn new() -> Self {
        Self { own_store: true, ..Self::with_store(super::Memory::default()) }
    }
}

#[cfg(feature = "cache")]
impl Default for CachePolicy {
    fn default() -> Self {
        Self::new()
    }
}

impl CachePolicy {
    /// Creates a policy with that store.
    pub fn with_store(store: impl Store) -> Self {
        Self::with_shared_store(Arc::new(store))
    }

    /// Creates a policy with a store that is shared with others.
    pub fn with_shared_store(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            own_store: false,
            serve_fresh_for: None,
            coalesce: false,
            max_entry_bytes: 1024 * 1024,
            max_request_bytes: 8 * 1024 * 1024,
            store_tool_calls: false,
            lookup_timeout: Duration::from_millis(250),
            vary: Vec::new(),
        }
    }

    /// Serves a stored answer of at most that age in place of a call. Off by default, since the same question may need a
    /// different answer each time.
    #[must_use]
    pub fn serve_fresh_for(mut self, age: Duration) -> Self {
        self.serve_fresh_for = Some(age);
        self
    }

    /// Whether equal calls in flight with the same form share one attempt. Off by default.
    #[must_use]
    pub fn coalesce(mut self, coalesce: bool) -> Self {
        self.coalesce = coalesce;
        self
    }

    /// The largest answer that is stored, in bytes. 1 MiB by default.
    #[must_use]
    pub fn max_entry_bytes(mut self, bytes: usize) -> Self {
        self.max_entry_bytes = bytes;
        self
    }

    /// The largest request whose answer is stored, looked up or shared, in bytes. 8 MiB by default.
    ///
    /// To compare a request it is parsed and hashed as a whole, which takes about a millisecond for each 100 KiB, and three to ten times its
    /// bytes. A larger request is sent as if there were no cache, and so is one with more than 262 144 JSON values.
    #[must_use]
    pub fn max_request_bytes(mut self, bytes: usize) -> Self {
        self.max_request_bytes = bytes;
        self
    }

    /// Whether answers with tool calls are stored. Off by default, since serving one would repeat its actions.
    #[must_use]
    pub fn store_tool_calls(mut self, stored: bool) -> Self {
        self.store_tool_calls = stored;
        self
    }

    /// The time limit of a lookup in the store; a slower lookup is a miss. Above zero; 250 ms by default.
    #[must_use]
    pub fn lookup_timeout(mut self, limit: Duration) -> Self {
        self.lookup_timeout = limit;
        self
    }

    /// Adds a request header that changes the answer: requests that differ in it have different keys.
    #[must_use]
    pub fn vary(mut self, header: HeaderName) -> Self {
        self.vary.push(header);
        self
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let times = [
            ("cache.serve_fresh_for", self.serve_fresh_for),
            ("cache.lookup_timeout", Some(self.lookup_timeout)),
        ];
        for (field, time) in times {
            if time.is_some_and(|time| time.is_zero()) {
                return Err(ConfigError::new(field, Duration::ZERO, "longer than zero"));
            }
        }
        let sizes = [
            ("cache.max_entry_bytes", self.max_entry_bytes),
            ("cache.max_request_bytes", self.max_request_bytes),
        ];
        match sizes.into_iter().find(|(_, bytes)| *bytes == 0) {
            Some((field, bytes)) => Err(ConfigError::new(field, bytes, "at least one byte")),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for CachePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachePolicy")
            .field("fresh", &self.serve_fresh_for)
            .field("coalesce", &self.coalesce)
            .field("largest", &self.max_entry_bytes)
            .field("largest_request", &self.max_request_bytes)
            .field("tool_calls", &self.store_tool_calls)
            .field("lookup", &self.lookup_timeout)
            .field("vary", &self.vary)
            .finish_non_exhaustive()
    }
}

//! The fallbacks that a call may use.

use std::{fmt, sync::Arc};

/// The names of the fallbacks that a call may use, of those of all calls. Put it into the extensions of a request: the others are
/// left out for that call. The first target is always asked, and a wait for recovery stays.
#[derive(Clone, PartialEq, Eq)]
pub struct AllowedFallbacks(Arc<[Box<str>]>);

// === impl AllowedFallbacks ===

impl AllowedFallbacks {
    /// The names of the fallbacks. An empty list leaves the first target alone.
    pub fn new<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Self {
        Self(names.into_iter().map(|name| name.as_ref().into()).collect())
    }

    /// Whether the call may use the fallback of that name.
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|allowed| **allowed == *name)
    }
}

impl fmt::Debug for AllowedFallbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter()).finish()
    }
}

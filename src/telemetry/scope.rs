//! The span of a call, for work that goes on after its answer was handed on.

use std::fmt;

use tracing::Span;

/// The span that something was made in, to be entered again by what goes on elsewhere.
pub(crate) struct Scope(Span);

// === impl Scope ===

impl Scope {
    /// The span that this is called in.
    pub(crate) fn current() -> Self {
        Self(Span::current())
    }

    /// Does something within the span.
    pub(crate) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        self.0.in_scope(work)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scope")
    }
}

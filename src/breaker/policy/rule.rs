//! A threshold of a breaker.

/// A threshold, and how it is meant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::breaker) enum Rule<T> {
    /// By default: reached where chance does not explain it.
    Improbable(T),
    /// Set by hand: reached where it is reached.
    Exact(T),
}

// === impl Rule ===

impl<T> Rule<T> {
    /// The threshold.
    pub(in crate::breaker) fn value(self) -> T {
        match self {
            Self::Improbable(value) | Self::Exact(value) => value,
        }
    }
}

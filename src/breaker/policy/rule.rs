//! A threshold of a breaker.

/// A threshold and how it applies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::breaker) enum Rule<T> {
    /// A default: reached where chance does not explain the value.
    Improbable(T),
    /// An explicit value: reached exactly at that value.
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

//! A fault that is injected into an attempt under way.

use crate::{fault_kind::FaultKind, route::Route};

/// A fault that is injected into an attempt under way, with what the attempt is known by. Made only with the feature `chaos`.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "chaos"), allow(dead_code))]
pub(crate) struct Injected {
    pub(crate) fallback: u16,
    pub(crate) route: Route,
    /// Whether the attempt belongs to a second copy of the call.
    pub(crate) copy: bool,
    pub(crate) fault: FaultKind,
}

// === impl Injected ===

#[cfg(feature = "chaos")]
impl Injected {
    /// Whether both are of the same attempt.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        self.fallback == other.fallback && self.copy == other.copy && self.route == other.route
    }
}

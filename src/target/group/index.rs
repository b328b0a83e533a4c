//! The target that was picked for an attempt.

use super::unknown::Pair;

/// The target of an attempt: its index in the pool, and the operation and model of the request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TargetIndex {
    pub(super) at: usize,
    pub(super) part: &'static str,
    /// The hash of the model that the caller named.
    pub(super) model: Option<u64>,
}

// === impl TargetIndex ===

impl TargetIndex {
    /// The position of the target among its equals, from 0. There are at most 64.
    pub(crate) fn position(self) -> u16 {
        self.at as u16
    }

    /// The target and the model that the caller named, if it named one.
    pub(super) fn pair(self) -> Option<Pair> {
        self.model.map(|model| Pair { at: self.at, model })
    }
}

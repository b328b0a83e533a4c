//! What a request asks for.

use crate::{
    dialect::{Dialect, Expected, RequestInfo},
    stream::{CommitPolicy, HoldLimits},
};

/// What the request asks for.
pub(super) struct Asked<'a> {
    pub(super) dialect: Dialect,
    pub(super) info: &'a RequestInfo,
    pub(super) expected: Expected,
}

// === impl Asked ===

impl Asked<'_> {
    /// Whether the request is known to ask for an answer in one piece. A body in a content coding does not say.
    pub(super) fn in_one_piece(&self) -> bool {
        self.info.is_parsed() && !self.info.stream()
    }

    /// How far a stream is held back: to its end, at most `most` bytes, if it has to become one piece.
    pub(super) fn hold(&self, usual: HoldLimits, most: usize) -> HoldLimits {
        match self.in_one_piece() {
            true => HoldLimits { commit: CommitPolicy::Complete, whole: most, ..usual },
            false => usual,
        }
    }
}

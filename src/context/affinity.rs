//! Affinity of calls to one of several equal targets.

use std::fmt;

use crate::hash::hash;

/// Calls with the same key go to the same one of a fallback's equal targets, while it is healthy. Put one into a request's
/// extensions, for example with the id of a conversation, since the prompt cache of a conversation lives on one deployment.
///
/// Only a hash of the key is kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AffinityKey(u64);

// === impl AffinityKey ===

impl AffinityKey {
    /// Creates a key from `key`, which must be the same for all calls that belong together.
    pub fn new(key: impl AsRef<[u8]>) -> Self {
        Self(hash(key.as_ref()))
    }

    /// The score of one place for these calls: they go to the place with the highest score.
    pub(crate) fn score(self, place: u64) -> u64 {
        hash(&(self.0, place))
    }
}

impl fmt::Debug for AffinityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AffinityKey")
    }
}

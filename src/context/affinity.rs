//! What keeps calls together at one of several equal targets.

use std::fmt;

use crate::hash::hash;

/// Calls with the same key go to the same of a fallback's equal targets, while that one is well. Put one into a request's
/// extensions: the name of a conversation, say, as the prompt cache of a conversation lives on one deployment.
///
/// Only a hash of the key is kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AffinityKey(u64);

// === impl AffinityKey ===

impl AffinityKey {
    /// By that key, which is the same for all calls that belong together.
    pub fn new(key: impl AsRef<[u8]>) -> Self {
        Self(hash(key.as_ref()))
    }

    /// How much one place speaks for these calls: the place with the highest score has them.
    pub(crate) fn score(self, place: u64) -> u64 {
        hash(&(self.0, place))
    }
}

impl fmt::Debug for AffinityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sticky")
    }
}

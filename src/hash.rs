//! A hash that is the same in every process.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Hashes a value; the same in every process, so that all of them send a conversation to the same place.
pub(crate) fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

//! A store in this process.

use std::{fmt, future::ready};

use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter, sync};

use super::{Found, Store};
use crate::{
    BoxError,
    cache::{Entry, Key},
};

/// A store in this process, bounded by the memory of its answers. Past the bound, the least requested are evicted.
///
/// # Defaults
///
/// * 64 MiB: some ten thousand answers of a usual length
pub struct Memory(sync::Cache<Key, Entry, Weight>);

#[derive(Clone)]
struct Weight;

// === impl Memory ===

impl Memory {
    /// The default maximum of bytes that a store takes: 64 MiB.
    pub const DEFAULT: usize = 64 * 1024 * 1024;
    /// The usual weight of an answer, for the initial capacity of the map.
    const USUAL: usize = 6 * 1024;
    /// Each shard holds an equal share of the bytes, and an answer must fit into one, so there are few.
    const SHARDS: usize = 4;

    /// Creates a store of at most `bytes`. An answer larger than a quarter of that is not stored.
    pub fn new(bytes: usize) -> Self {
        let options = OptionsBuilder::new()
            .shards(Self::SHARDS)
            .estimated_items_capacity((bytes / Self::USUAL).clamp(16, 64 * 1024))
            .weight_capacity(bytes as u64)
            .build()
            .expect("both capacities are set, which is all that it asks for");
        let hasher = DefaultHashBuilder::default();
        Self(sync::Cache::with_options(options, Weight, hasher, Default::default()))
    }

    /// The bytes that it takes.
    pub fn weight(&self) -> usize {
        self.0.weight() as usize
    }

    /// The number of answers.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Removes all answers.
    pub fn clear(&self) {
        self.0.clear();
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new(Self::DEFAULT)
    }
}

impl Store for Memory {
    fn get(&self, key: &Key) -> Found<'_> {
        Box::pin(ready(Ok(self.0.get(key))))
    }

    fn put(&self, key: &Key, entry: Entry) -> Result<(), BoxError> {
        self.0.insert(*key, entry);
        Ok(())
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory({} answers, {} bytes)", self.len(), self.weight())
    }
}

// === impl Weight ===

impl Weighter<Key, Entry> for Weight {
    fn weight(&self, _: &Key, entry: &Entry) -> u64 {
        entry.weight() as u64
    }
}

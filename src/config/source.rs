//! What was read.

use serde_json::{Map, Value};

use super::tables::File;

/// A configuration as it was read.
#[derive(Clone, Default)]
pub(super) struct Source {
    pub(super) file: File,
    /// The same as a tree: to be written again, and to look up which keys are set.
    pub(super) tree: Map<String, Value>,
}

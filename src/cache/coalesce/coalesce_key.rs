//! The key by which calls share an attempt.

use tokio::runtime;

use super::call_settings::CallSettings;
use crate::cache::{Key, entry::Shape};

/// What calls must have in common to share an attempt: the cache key, the form, and their own settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::cache) struct CoalesceKey {
    pub(in crate::cache) key: Key,
    pub(in crate::cache) shape: Shape,
    pub(in crate::cache) wish: CallSettings,
    /// Timers and connections of an attempt belong to the runtime that began it, so calls of other runtimes do not join.
    pub(in crate::cache) runtime: Option<runtime::Id>,
}

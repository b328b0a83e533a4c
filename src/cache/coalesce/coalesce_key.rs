//! What calls have to have in common to share an attempt.

use tokio::runtime;

use super::call_settings::CallSettings;
use crate::cache::{Key, entry::Shape};

/// What calls have to have in common: the key, the form that is asked, and what each wishes for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::cache) struct CoalesceKey {
    pub(in crate::cache) key: Key,
    pub(in crate::cache) shape: Shape,
    pub(in crate::cache) wish: CallSettings,
    /// Timers and connections of an attempt belong to the runtime that began it: another's calls go by themselves.
    pub(in crate::cache) runtime: Option<runtime::Id>,
}

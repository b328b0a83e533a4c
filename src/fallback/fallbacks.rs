//! Fallbacks of a single call.

use super::{Fallback, FallbackPolicy};
use crate::{ConfigError, context::Fallbacks};

// === impl Fallbacks ===

impl Fallbacks {
    /// The maximum number of fallbacks a call may bring: 8.
    pub const MAX_FALLBACKS: usize = 8;

    /// Creates the fallbacks of a call, in this order.
    ///
    /// # Errors
    ///
    /// Names the fallback and the field that is wrong. Also fails if there are more than [`MAX_FALLBACKS`](Self::MAX_FALLBACKS),
    /// or a fallback is below a canned reply. `fallbacks[0]` is the first of them.
    pub fn new(fallbacks: impl IntoIterator<Item = Fallback>) -> Result<Self, ConfigError> {
        let mut fallbacks: Vec<_> = fallbacks.into_iter().take(Self::MAX_FALLBACKS + 1).collect();
        if fallbacks.len() > Self::MAX_FALLBACKS {
            let allowed = format!("at most {} fallbacks", Self::MAX_FALLBACKS);
            return Err(ConfigError::new(
                "fallbacks",
                format_args!("more than {}", Self::MAX_FALLBACKS),
                allowed,
            ));
        }
        for (at, fallback) in fallbacks.iter().enumerate() {
            fallback.check(&format!("fallbacks[{at}]"))?;
            let wrong = if fallback.is_last() && at + 1 < fallbacks.len() {
                "a canned reply only as the last of them"
            } else if fallback.waits() {
                "a target, a stored answer or a canned reply: only the fallbacks of all calls may wait for recovery"
            } else {
                continue;
            };
            return Err(ConfigError::new(format!("fallbacks[{at}]"), &fallback.name, wrong));
        }
        fallbacks.iter_mut().for_each(Fallback::open);
        Ok(Self::of(fallbacks))
    }
}

// === impl FallbackPolicy ===

impl FallbackPolicy {
    /// The fallbacks of a call that brings its own: these come right below the first.
    pub(super) fn with(&self, own: &Fallbacks) -> Self {
        let (first, below) = self.fallbacks.split_at(1);
        Self { fallbacks: [first, own.steps(), below].concat(), ..self.clone() }
    }
}

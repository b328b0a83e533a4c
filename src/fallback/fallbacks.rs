//! Rungs for one call alone.

use super::{Fallback, FallbackPolicy};
use crate::{ConfigError, context::Fallbacks};

// === impl Fallbacks ===

impl Fallbacks {
    /// How many rungs a call may bring.
    pub const MOST: usize = 8;

    /// These rungs, in this order.
    ///
    /// # Errors
    ///
    /// Names the rung and the field that is wrong; so also where there are more than [`MOST`](Self::MOST), or a rung
    /// stands below a canned reply. `fallbacks[0]` is the first of them.
    pub fn new(rungs: impl IntoIterator<Item = Fallback>) -> Result<Self, ConfigError> {
        let mut rungs: Vec<_> = rungs.into_iter().take(Self::MOST + 1).collect();
        if rungs.len() > Self::MOST {
            let allowed = format!("at most {} rungs", Self::MOST);
            return Err(ConfigError::new("fallbacks", "more", allowed));
        }
        for (at, rung) in rungs.iter().enumerate() {
            rung.check(&format!("fallbacks[{at}]"))?;
            let wrong = if rung.is_last() && at + 1 < rungs.len() {
                "a canned reply only as the last of them"
            } else if rung.waits() {
                "what is asked or answers: to wait for recovery is for the ladder of all calls"
            } else {
                continue;
            };
            return Err(ConfigError::new(format!("fallbacks[{at}]"), &rung.name, wrong));
        }
        rungs.iter_mut().for_each(Fallback::open);
        Ok(Self::of(rungs))
    }
}

// === impl FallbackPolicy ===

impl FallbackPolicy {
    /// The ladder of a call that brings rungs of its own.
    pub(super) fn with(&self, own: &Fallbacks) -> Self {
        let (first, below) = self.rungs.split_at(1);
        Self { rungs: [first, own.steps(), below].concat(), ..self.clone() }
    }
}

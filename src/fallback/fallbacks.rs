//! Rungs for one call alone.

use std::sync::Arc;

use super::{Fallback, FallbackPolicy};
use crate::ConfigError;

/// Rungs for one call alone: put them into the extensions of its request.
///
/// They stand below the first rung and above those of the [`FallbackPolicy`], in their order. All of them share the
/// breakers and budgets of their routes with every other call, as the policy's rungs do.
///
/// ```
/// use evenkeel::fallback::{Fallbacks, Fallback, Target};
///
/// // Where it was addressed, with the same key: another model.
/// let smaller = Fallback::target(Target::here().model("gpt-4o-mini"));
/// let mut request = http::Request::post("https://api.example.com/v1/chat/completions").body(bytes::Bytes::new())?;
/// request.extensions_mut().insert(Fallbacks::new([smaller])?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fallbacks(Arc<[Fallback]>);

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
        Ok(Self(rungs.into()))
    }
}

// === impl FallbackPolicy ===

impl FallbackPolicy {
    /// The ladder of a call that brings rungs of its own.
    pub(super) fn with(&self, own: &Fallbacks) -> Self {
        let (first, below) = self.rungs.split_at(1);
        Self { rungs: [first, &own.0, below].concat(), ..self.clone() }
    }
}

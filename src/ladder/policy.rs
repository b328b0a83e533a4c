//! The rungs, in order.

use std::time::Duration;

use super::{LadderLayer, Rung, Target};
use crate::ConfigError;

/// The rungs, in order: the first is asked first.
///
/// # Defaults
///
/// * the first rung is the request as it was addressed
/// * no rung below it
#[derive(Clone, Debug)]
pub struct LadderPolicy {
    pub(super) rungs: Vec<Rung>,
}

// === impl LadderPolicy ===

impl LadderPolicy {
    /// How many rungs a ladder may have.
    pub const MOST: usize = 32;

    /// The request as it was addressed, and nothing below it.
    pub fn new() -> Self {
        Self { rungs: vec![Rung::addressed()] }
    }

    /// Sends every call to that target first, wherever it was addressed.
    #[must_use]
    pub fn primary(self, target: Target) -> Self {
        self.first(Rung::target(target).named("primary"))
    }

    /// Puts another rung in the first place.
    #[must_use]
    pub fn first(mut self, rung: Rung) -> Self {
        self.rungs[0] = rung;
        self
    }

    /// Adds a rung below the others.
    #[must_use]
    pub fn rung(mut self, rung: Rung) -> Self {
        self.rungs.push(rung);
        self
    }

    /// Checks every rung, against the deadline of a call where one is set.
    pub(crate) fn check(&self, deadline: Option<Duration>) -> Result<(), ConfigError> {
        if self.rungs.len() > Self::MOST {
            let allowed = format!("at most {} rungs", Self::MOST);
            return Err(ConfigError::new("ladder.rungs", self.rungs.len(), allowed));
        }
        for (at, rung) in self.rungs.iter().enumerate() {
            rung.check(&format!("ladder.rung[{at}]"))?;
            let unreachable = rung.is_instant() && at + 1 < self.rungs.len();
            if unreachable {
                let allowed = "a canned reply only as the last rung: it never fails, so nothing below it is ever asked";
                return Err(ConfigError::new(format!("ladder.rung[{at}]"), &rung.name, allowed));
            }
            if let (Some(reserve), Some(deadline)) = (rung.reserve, deadline) {
                if reserve >= deadline {
                    let allowed = format!("less than the deadline of {deadline:?}");
                    return Err(ConfigError::new(
                        format!("ladder.rung[{at}].reserve"),
                        reserve,
                        allowed,
                    ));
                }
            }
        }
        Ok(())
    }

    /// The layer, if every rung is right.
    ///
    /// # Errors
    ///
    /// Names the rung and field that is wrong: a base URL without a host, a name that cannot be a header, a rung below a
    /// canned reply, more than [`MOST`](Self::MOST) rungs.
    pub fn build(self) -> Result<LadderLayer, ConfigError> {
        self.check(None)?;
        Ok(LadderLayer::new(self))
    }

    /// The time that the rung at `at` keeps back of what is `left`, for those below it.
    pub(super) fn reserve(&self, at: usize, left: Duration) -> Duration {
        /// An answer made here takes no time; this much keeps it ahead of the deadline itself.
        const INSTANT: Duration = Duration::from_millis(20);
        let below = &self.rungs[at + 1..];
        let targets = below.iter().filter(|rung| !rung.is_instant()).count() as u32;
        let share = left / 3 * targets.min(2);
        let least = if below.is_empty() { Duration::ZERO } else { INSTANT.min(left / 10) };
        // A call in a hurry, with less left than is to be kept back, still asks the rung that was put first.
        let most = left / 3 * 2;
        self.rungs[at].reserve.unwrap_or(share).max(least).min(most)
    }
}

impl Default for LadderPolicy {
    fn default() -> Self {
        Self::new()
    }
}

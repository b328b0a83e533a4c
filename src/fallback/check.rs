//! Validates the fallbacks and their order.

use std::time::Duration;

use super::{
    Fallback, FallbackPolicy,
    kind::{Kind, TargetGroup},
};
use crate::{ConfigError, target::group::check as check_equals};

// === impl FallbackPolicy ===

impl FallbackPolicy {
    /// Validates every fallback, and its reserve against the deadline of a call if one is set.
    pub(crate) fn check(&self, deadline: Option<Duration>) -> Result<(), ConfigError> {
        if self.fallbacks.len() > Self::MAX_FALLBACKS {
            let allowed = format!("at most {} fallbacks", Self::MAX_FALLBACKS);
            return Err(ConfigError::new("fallbacks", self.fallbacks.len(), allowed));
        }
        for (at, fallback) in self.fallbacks.iter().enumerate() {
            let field = format!("fallbacks[{at}]");
            fallback.check(&field)?;
            if let Some(allowed) = self.misplaced(at) {
                return Err(ConfigError::new(field, &fallback.name, allowed));
            }
            if let (Some(reserve), Some(deadline)) = (fallback.reserve, deadline) {
                if reserve >= deadline {
                    let allowed = format!("less than the deadline of {deadline:?}");
                    return Err(ConfigError::new(format!("{field}.reserve"), reserve, allowed));
                }
            }
        }
        Ok(())
    }

    /// If the fallback is in the wrong place: where it is allowed.
    fn misplaced(&self, at: usize) -> Option<&'static str> {
        let (fallback, below) = (&self.fallbacks[at], &self.fallbacks[at + 1..]);
        if at == 0 && fallback.is_stored() {
            return Some(
                "a stored answer below another fallback; CachePolicy::fresh() gives one before any is asked",
            );
        }
        if fallback.is_last() && !below.is_empty() {
            return Some(
                "a canned reply only as the last fallback: it never fails, so nothing below it is ever asked",
            );
        }
        let followed = below.iter().any(|below| !below.is_instant());
        (fallback.waits() && (at == 0 || followed)).then_some(
            "a fallback that waits only as the last, or above a canned reply: it waits for those above it",
        )
    }
}

// === impl Fallback ===

impl Fallback {
    pub(super) fn check(&self, at: &str) -> Result<(), ConfigError> {
        let field = |name: &str| format!("{at}.{name}");
        let visible = self.name.bytes().all(|b| (0x20..0x7f).contains(&b));
        if self.name.is_empty() || self.name.len() > 64 || !visible {
            let allowed = "1 to 64 bytes of visible ASCII";
            return Err(ConfigError::new(field("name"), &self.name, allowed));
        }
        self.edit.check(&field)?;
        match &self.kind {
            Kind::Canned(_) if !self.edit.is_none() => {
                let allowed = "no edit: a canned reply is not asked of anybody";
                Err(ConfigError::new(field("edit"), "set", allowed))
            }
            Kind::Canned(canned) if canned.is_blank() => {
                Err(ConfigError::new(field("text"), "", "a text that says something"))
            }
            Kind::Target(target) => target.check(&field),
            Kind::TargetGroup(TargetGroup { targets, policy, .. }) => {
                policy.check(&field("balance"))?;
                check_equals(targets, at)
            }
            Kind::Stored(age) if age.is_zero() => {
                Err(ConfigError::new(field("age"), age, "longer than zero"))
            }
            Kind::Addressed | Kind::Stored(_) | Kind::Canned(_) | Kind::Wait => Ok(()),
        }
    }
}

//! Validates the fallbacks and their order.

use std::time::Duration;

use super::{
    Fallback, FallbackPolicy,
    kind::{Kind, TargetGroup},
};
use crate::{
    ConfigError,
    stream::MidStreamFailure,
    target::{Target, group::check as check_equals},
};

/// The index of the first of these fallbacks that sends the same request to the same target as this one.
fn twin(above: &[Fallback], fallback: &Fallback) -> Option<usize> {
    above.iter().position(|other| other.repeats(fallback))
}

/// What is allowed instead of a fallback that repeats the one at `twin`.
fn another_than(twin: usize) -> String {
    format!(
        "another host, model, credential, label or edit than fallbacks[{twin}] has: it would repeat a request that has just \
         failed, which RetryPolicy::retries is for"
    )
}

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
            if let Some(twin) = twin(&self.fallbacks[..at], fallback) {
                return Err(ConfigError::new(field, &fallback.name, another_than(twin)));
            }
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
        self.check_resume()
    }

    fn check_resume(&self) -> Result<(), ConfigError> {
        let continues = self.resume == MidStreamFailure::Continue;
        if continues && self.fallbacks[1..].iter().all(|below| below.prefill().is_none()) {
            let allowed = "Error, or Continue with a fallback whose Capabilities::prefill declares that it continues an answer";
            return Err(ConfigError::new("mid_stream_failure", self.resume, allowed));
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
    /// Whether the other sends the same request to targets of this one alone. Fallbacks for certain failures or operations may.
    fn repeats(&self, other: &Self) -> bool {
        let selects = |fallback: &Self| !fallback.on.is_empty() || !fallback.takes.is_empty();
        if selects(self) || selects(other) || self.edit != other.edit {
            return false;
        }
        let both_addressed = self.is_plain() && other.is_plain();
        let known = |target: &Target| self.own_targets().iter().any(|it| it.is_request_of(target));
        let targets = other.own_targets();
        both_addressed || (!targets.is_empty() && targets.iter().all(known))
    }

    pub(super) fn check(&self, at: &str) -> Result<(), ConfigError> {
        let field = |name: &str| format!("{at}.{name}");
        let visible = self.name.bytes().all(|b| (0x20..0x7f).contains(&b));
        if self.name.is_empty() || self.name.len() > 64 || !visible {
            let allowed = "1 to 64 bytes of printable ASCII";
            return Err(ConfigError::new(field("name"), &self.name, allowed));
        }
        self.edit.check(&field)?;
        match &self.kind {
            Kind::Canned(_) if !self.edit.is_none() => {
                let allowed = "no edit: a canned reply sends no request";
                Err(ConfigError::new(field("edit"), format_args!("set"), allowed))
            }
            Kind::Canned(canned) if canned.is_blank() => {
                Err(ConfigError::new(field("text"), format_args!("blank"), "a text for the user"))
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

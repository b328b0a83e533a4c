//! Bounds of the options that a caller sets itself.

use super::CallOptions;
use crate::context::{AllowedFallbacks, Priority};

// === impl CallOptions ===

impl CallOptions {
    /// Limits the fallbacks of all calls to those with these names. Those of the call itself stay.
    pub fn allowed_fallbacks(mut self, allowed: AllowedFallbacks) -> Self {
        self.allowed_fallbacks = Some(allowed);
        self
    }

    /// Bounds the priority: a higher one, and one that is not set, becomes `highest`.
    pub fn priority_at_most(mut self, highest: Priority) -> Self {
        // The order of the variants is that of the queue: interactive calls are first.
        self.priority = Some(self.priority.map_or(highest, |own| own.max(highest)));
        self
    }

    /// Whether a deadline is set.
    pub fn has_deadline(&self) -> bool {
        self.deadline.is_some()
    }

    /// The models that are fallbacks of the call, if they are set by name.
    pub fn declared_fallback_models(&self) -> impl Iterator<Item = &str> {
        let models = match &self.fallbacks {
            Some(super::options::CallFallbacks::Models(models)) => models.as_slice(),
            _ => &[],
        };
        models.iter().map(|model| &**model)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{super::options::CallDeadline, *};

    #[tokio::test(start_paused = true)]
    async fn a_bound_lowers_what_is_above_it_and_nothing_else() {
        let (one, two) = (Duration::from_secs(1), Duration::from_secs(2));
        let within = |options: CallOptions| match options.deadline {
            Some(CallDeadline::Within(limit)) => Some(limit),
            Some(CallDeadline::At(at)) => Some(at - Instant::now()),
            None => None,
        };
        assert_eq!(within(CallOptions::new().deadline_at_most(one)), None);
        assert_eq!(within(CallOptions::new().deadline(two).deadline_at_most(one)), Some(one));
        assert_eq!(within(CallOptions::new().deadline(one).deadline_at_most(two)), Some(one));
        let at = CallOptions::new().deadline_at(Instant::now() + two);
        assert_eq!(within(at.deadline_at_most(one)), Some(one));
        for (own, highest, expected) in [
            (None, Priority::Batch, Priority::Batch),
            (Some(Priority::Interactive), Priority::Batch, Priority::Batch),
            (Some(Priority::Batch), Priority::Interactive, Priority::Batch),
            (None, Priority::Interactive, Priority::Interactive),
        ] {
            let options = CallOptions { priority: own, ..CallOptions::new() };
            assert_eq!(options.priority_at_most(highest).priority, Some(expected));
        }
    }
}

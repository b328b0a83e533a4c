//! The number of extra attempts of one call, beyond the first attempt at each of its targets.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

/// The extra attempts of one call in all layers: retries, second copies, fallbacks. A handle: all attempts of the call share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallBudget(Arc<Spent>);

#[derive(Debug, Default)]
struct Spent {
    own: AtomicU32,
    fallbacks: AtomicU32,
    /// Whether the one repetition that may be billed twice is used.
    repeated: AtomicBool,
}

/// The extra attempts for one target: the first target has its own count, all fallbacks share another.
#[derive(Clone, Debug)]
pub(crate) struct TargetBudget {
    call: CallBudget,
    fallback: bool,
}

// === impl CallBudget ===

impl CallBudget {
    /// The budget of the target at that fallback.
    pub(crate) fn at(&self, fallback: u16) -> TargetBudget {
        TargetBudget { call: self.clone(), fallback: fallback > 0 }
    }
}

// === impl TargetBudget ===

impl TargetBudget {
    fn spent(&self) -> &AtomicU32 {
        let Spent { own, fallbacks, .. } = &*self.call.0;
        if self.fallback { fallbacks } else { own }
    }

    /// Whether fewer than `max` extra attempts were made.
    pub(crate) fn has(&self, max: Option<u32>) -> bool {
        max.is_none_or(|max| self.spent().load(Ordering::Relaxed) < max)
    }

    /// Takes one of `max` extra attempts, of any number where that is `None`; `false` if none is left.
    pub(crate) fn take(&self, max: Option<u32>) -> bool {
        let next =
            |spent: u32| max.is_none_or(|max| spent < max).then_some(spent.saturating_add(1));
        self.spent().fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }

    /// Gives back an extra attempt that was not sent.
    pub(crate) fn give_back(&self) {
        let less = |spent: u32| spent.checked_sub(1);
        // Fails if none was taken.
        let _ = self.spent().fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// Whether the one repetition that may be billed twice is still available.
    pub(crate) fn may_repeat(&self) -> bool {
        !self.call.0.repeated.load(Ordering::Relaxed)
    }

    /// Takes the one repetition that may be billed twice; `false` if it is used.
    pub(crate) fn repeat(&self) -> bool {
        !self.call.0.repeated.swap(true, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_fallbacks_have_as_many_extra_attempts_together_as_the_own_target() {
        let call = CallBudget::default();
        let (own, one, other) = (call.at(0), call.at(1), call.at(2));
        assert!(own.take(Some(2)) && own.take(Some(2)) && !own.take(Some(2)) && !own.has(Some(2)));
        assert!(one.has(Some(2)) && one.take(Some(2)) && other.take(Some(2)));
        assert!(!one.take(Some(2)) && !other.has(Some(2)) && other.has(Some(3)));
    }

    #[test]
    fn a_call_repeats_once_what_may_have_been_billed() {
        let call = CallBudget::default();
        assert!(call.at(0).may_repeat() && call.at(3).repeat());
        assert!(!call.at(0).may_repeat() && !call.at(0).repeat());
    }
}

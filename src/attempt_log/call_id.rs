//! The id of a call, and the current call of a thread.

use std::{
    cell::Cell,
    fmt,
    marker::PhantomData,
    sync::atomic::{AtomicU64, Ordering},
};

/// The id of a call: unique in this process, numbered from 1 in the order in which calls arrive.
///
/// It is in the [`AttemptLog`](super::AttemptLog) of the answer, in every [`Event`](crate::telemetry::Event) of the call and in
/// the span of the call (`evenkeel.call.id`), so that the three can be joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(u64);

/// Marks a call as the current one of the thread, until it is dropped. It stays on its thread.
#[must_use]
pub(crate) struct EnteredCall {
    before: Option<CallId>,
    on_this_thread: PhantomData<*const ()>,
}

thread_local! {
    static CURRENT: Cell<Option<CallId>> = const { Cell::new(None) };
}

// === impl CallId ===

impl CallId {
    pub(super) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        // Relaxed: only the number itself matters.
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The current call of the thread.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.get()
    }

    /// Makes the call the current one of the thread.
    pub(crate) fn enter(self) -> EnteredCall {
        EnteredCall { before: CURRENT.replace(Some(self)), on_this_thread: PhantomData }
    }

    /// The id as a number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Drop for EnteredCall {
    fn drop(&mut self) {
        // If the thread is ending, there is no current call any more.
        let _ = CURRENT.try_with(|current| current.set(self.before));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_the_current_one_until_its_guard_is_dropped_and_the_one_around_it_again() {
        let (outer, inner) = (CallId::next(), CallId::next());
        assert_eq!(CallId::current(), None);
        let around = outer.enter();
        {
            let _within = inner.enter();
            assert_eq!(CallId::current(), Some(inner));
        }
        assert_eq!(CallId::current(), Some(outer));
        drop(around);
        assert_eq!(CallId::current(), None);
    }
}

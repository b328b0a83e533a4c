//! The lock of the crate.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, and goes on with the value as it is if another thread panicked while it held the lock: every critical section
/// of this crate leaves its value whole at each step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

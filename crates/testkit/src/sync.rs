//! The lock of the crate.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks the mutex. If another thread panicked while it held the lock, the value is used as it is: every critical section of this
/// crate leaves its value valid at each step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

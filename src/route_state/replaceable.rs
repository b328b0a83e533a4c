//! Settings that can be replaced while the states that were made from them are kept.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use crate::sync::lock_std as lock;

/// Settings that many states share. A handle: clones are the same settings.
#[derive(Debug)]
pub(crate) struct Replaceable<T>(Arc<Inner<T>>);

#[derive(Debug)]
struct Inner<T> {
    /// The number of replacements. A state compares it with its own without the lock.
    version: AtomicU64,
    current: Mutex<Arc<T>>,
}

/// The settings that one state was last used with.
#[derive(Debug)]
pub(crate) struct InUse<T> {
    source: Replaceable<T>,
    version: u64,
    current: Arc<T>,
}

// === impl Replaceable ===

impl<T> Replaceable<T> {
    pub(crate) fn new(settings: T) -> Self {
        let (version, current) = (AtomicU64::new(0), Mutex::new(Arc::new(settings)));
        Self(Arc::new(Inner { version, current }))
    }

    /// The current settings.
    pub(crate) fn get(&self) -> Arc<T> {
        lock(&self.0.current).clone()
    }

    /// Replaces the settings. Each state adopts them when it is used next.
    pub(crate) fn replace(&self, settings: T) {
        let mut current = lock(&self.0.current);
        *current = Arc::new(settings);
        self.0.version.fetch_add(1, Ordering::Release);
    }

    /// The current settings, for a state that is made with them.
    pub(crate) fn in_use(&self) -> InUse<T> {
        let current = lock(&self.0.current);
        // The version changes under the lock alone.
        let version = self.0.version.load(Ordering::Acquire);
        InUse { source: self.clone(), version, current: current.clone() }
    }
}

impl<T> Clone for Replaceable<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

// === impl InUse ===

impl<T> InUse<T> {
    pub(crate) fn current(&self) -> &Arc<T> {
        &self.current
    }

    /// Takes the current settings. Returns those before, if they were replaced.
    pub(crate) fn refresh(&mut self) -> Option<Arc<T>> {
        if self.source.0.version.load(Ordering::Acquire) == self.version {
            return None;
        }
        let InUse { version, current, .. } = self.source.in_use();
        self.version = version;
        Some(std::mem::replace(&mut self.current, current))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_gets_replaced_settings_once_and_the_newest() {
        let settings = Replaceable::new(1);
        let mut in_use = settings.in_use();
        assert_eq!(in_use.refresh(), None);
        settings.replace(2);
        settings.replace(3);
        assert_eq!((**in_use.current(), *settings.get()), (1, 3));
        assert_eq!(in_use.refresh().as_deref(), Some(&1));
        assert_eq!((**in_use.current(), in_use.refresh()), (3, None));
    }
}

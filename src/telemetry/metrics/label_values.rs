//! The values of one label, bounded in number.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use crate::sync::lock_std;

/// The values that a label has had. Beyond the maximum, a new one is replaced by `other`.
#[derive(Debug)]
pub(super) struct LabelValues {
    max: usize,
    other: Arc<str>,
    known: Mutex<HashSet<Arc<str>>>,
}

// === impl LabelValues ===

impl LabelValues {
    pub(super) fn new(max: usize) -> Self {
        Self { max, other: "other".into(), known: Mutex::default() }
    }

    /// The value for that name: the name itself while there is room, then `other`.
    pub(super) fn of(&self, name: &str) -> Arc<str> {
        let mut known = lock_std(&self.known);
        if let Some(value) = known.get(name) {
            return value.clone();
        }
        if known.len() >= self.max {
            return self.other.clone();
        }
        let value: Arc<str> = name.into();
        known.insert(value.clone());
        value
    }

    /// The value for that name, if it has been used before; else `other`.
    pub(super) fn known(&self, name: &str) -> Arc<str> {
        lock_std(&self.known).get(name).cloned().unwrap_or_else(|| self.other.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_maximum_every_new_value_is_other_and_those_before_stay() {
        let values = LabelValues::new(2);
        let of = |name: &str| values.of(name).to_string();
        assert_eq!(
            [of("a"), of("b"), of("c"), of("a"), of("d")],
            ["a", "b", "other", "a", "other"]
        );
        assert_eq!((&*values.known("b"), &*values.known("c")), ("b", "other"));
    }
}

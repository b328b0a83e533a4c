//! What a budget earns and keeps.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a budget earns for a first attempt, and the most that it keeps, in millionths of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) earned: u64,
    pub(super) most: u64,
}

/// Terms that can be replaced while they are used.
#[derive(Debug)]
pub(super) struct SharedTerms {
    earned: AtomicU64,
    most: AtomicU64,
}

/// One token.
pub(super) const TOKEN: u64 = 1_000_000;

// === impl Terms ===

impl Terms {
    pub(super) fn new(share: f64, reserve: u32) -> Self {
        // Rounded, since 0.29 × 1 000 000 is 289999.99…; `as` saturates and cannot overflow.
        let earned = (share * TOKEN as f64).round() as u64;
        Self { earned, most: u64::from(reserve) * TOKEN }
    }
}

// === impl SharedTerms ===

impl SharedTerms {
    pub(super) fn new(terms: Terms) -> Self {
        Self { earned: AtomicU64::new(terms.earned), most: AtomicU64::new(terms.most) }
    }

    pub(super) fn get(&self) -> Terms {
        // Relaxed: a mixture of old and new terms does no harm.
        let [earned, most] = [&self.earned, &self.most].map(|it| it.load(Ordering::Relaxed));
        Terms { earned, most }
    }

    /// Replaces the terms. Returns the most that was kept before, to one of several callers and only if that changes.
    pub(super) fn replace(&self, terms: Terms) -> Option<u64> {
        if self.get() == terms {
            return None;
        }
        self.earned.store(terms.earned, Ordering::Relaxed);
        let before = self.most.swap(terms.most, Ordering::Relaxed);
        (before != terms.most).then_some(before)
    }
}

//! How many attempts may be under way at a time.

use tokio::time::Instant;

use super::{
    adaptive::{Adaptive, Begun, Form},
    policy::Concurrency,
};

/// The places of a route.
#[derive(Debug)]
pub(super) struct Slots {
    most: Most,
    in_flight: u32,
}

#[derive(Debug)]
enum Most {
    Unlimited,
    Fixed(u32),
    Adaptive(Box<Adaptive>),
}

/// What is known of an attempt that has one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) at: Instant,
    begun: Option<Begun>,
}

// === impl Slots ===

impl Slots {
    pub(super) fn new(concurrency: &Concurrency) -> Self {
        let most = match concurrency {
            Concurrency::Unlimited => Most::Unlimited,
            Concurrency::Fixed(most) => Most::Fixed(*most),
            Concurrency::Adaptive(policy) => Most::Adaptive(Adaptive::new(policy.clone()).into()),
        };
        Self { most, in_flight: 0 }
    }

    /// Forgets what an adaptive limit has found; those under way keep their places.
    pub(super) fn forget(&mut self, concurrency: &Concurrency) {
        match &mut self.most {
            Most::Adaptive(adaptive) => adaptive.forget(),
            _ => self.most = Self::new(concurrency).most,
        }
    }

    /// How many there are; `None` where there is no end of them.
    pub(super) fn limit(&self) -> Option<u32> {
        match &self.most {
            Most::Unlimited => None,
            Most::Fixed(most) => Some(*most),
            Most::Adaptive(adaptive) => Some(adaptive.limit()),
        }
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Whether one is free.
    pub(super) fn is_free(&self) -> bool {
        self.limit().is_none_or(|limit| self.in_flight < limit)
    }

    /// Whether it learns from refusals, so that one that names no wait need not stop everything.
    pub(super) fn adapts(&self) -> bool {
        matches!(self.most, Most::Adaptive(_))
    }

    pub(super) fn took(&mut self, now: Instant) -> Slot {
        self.in_flight = self.in_flight.saturating_add(1);
        let begun = self.adaptive().map(|adaptive| adaptive.began(now));
        Slot { at: now, begun }
    }

    /// The first event of an answer is there.
    pub(super) fn answered(&mut self, slot: Slot, first: Instant, form: Form) {
        if let (Some(adaptive), Some(begun)) = (self.adaptive(), slot.begun) {
            adaptive.answered(begun, first, form);
        }
    }

    /// The provider had no room for it.
    pub(super) fn refused(&mut self, slot: Slot) {
        if let (Some(adaptive), Some(begun)) = (self.adaptive(), slot.begun) {
            adaptive.refused(begun);
        }
    }

    pub(super) fn freed(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if let Some(adaptive) = self.adaptive() {
            adaptive.ended();
        }
    }

    fn adaptive(&mut self) -> Option<&mut Adaptive> {
        match &mut self.most {
            Most::Adaptive(adaptive) => Some(adaptive),
            Most::Unlimited | Most::Fixed(_) => None,
        }
    }
}

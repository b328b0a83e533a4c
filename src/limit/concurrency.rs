//! The limit on the attempts under way at a time.

use tokio::time::Instant;

use super::{
    adaptive::{AdaptiveLimit, AnswerForm, RoundMember},
    policy::Concurrency,
};

/// The limit on the attempts of a route that are under way, and their number.
#[derive(Debug)]
pub(super) struct ConcurrencyLimit {
    bound: Bound,
    /// The number of bounds before this one.
    replaced: u64,
    in_flight: u32,
}

#[derive(Debug)]
enum Bound {
    Unlimited,
    Fixed(u32),
    Adaptive(Box<AdaptiveLimit>),
}

/// An attempt that is under way: when it was sent, and its membership in a round of an adaptive limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct SentAttempt {
    pub(super) sent_at: Instant,
    member: Option<RoundMember>,
    /// The number of the bound that it is a member of.
    bound: u64,
}

// === impl ConcurrencyLimit ===

impl ConcurrencyLimit {
    pub(super) fn new(concurrency: &Concurrency) -> Self {
        Self { bound: Bound::new(concurrency, 0), replaced: 0, in_flight: 0 }
    }

    /// Goes on under another policy. Attempts that are under way still count.
    pub(super) fn adopt(&mut self, concurrency: &Concurrency) {
        match (&mut self.bound, concurrency) {
            (Bound::Adaptive(adaptive), Concurrency::Adaptive(policy)) => {
                adaptive.adopt(policy.clone());
            }
            _ => {
                self.bound = Bound::new(concurrency, self.in_flight);
                self.replaced += 1;
            }
        }
    }

    /// Clears the state of an adaptive limit. Attempts that are under way still count.
    pub(super) fn reset(&mut self, concurrency: &Concurrency) {
        match &mut self.bound {
            Bound::Adaptive(adaptive) => adaptive.reset(),
            _ => self.bound = Bound::new(concurrency, self.in_flight),
        }
    }

    /// The largest number of attempts under way; `None` if unlimited.
    pub(super) fn limit(&self) -> Option<u32> {
        match &self.bound {
            Bound::Unlimited => None,
            Bound::Fixed(limit) => Some(*limit),
            Bound::Adaptive(adaptive) => Some(adaptive.limit()),
        }
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Whether one more attempt may be sent.
    pub(super) fn has_room(&self) -> bool {
        self.limit().is_none_or(|limit| self.in_flight < limit)
    }

    /// Whether the limit adapts to overload, so that a 429 that names no wait need not close the route.
    pub(super) fn is_adaptive(&self) -> bool {
        matches!(self.bound, Bound::Adaptive(_))
    }

    pub(super) fn on_sent(&mut self, now: Instant) -> SentAttempt {
        self.in_flight = self.in_flight.saturating_add(1);
        let member = self.adaptive().map(|adaptive| adaptive.on_sent(now));
        SentAttempt { sent_at: now, member, bound: self.replaced }
    }

    /// Records the first event of an answer, at `first_event_at`.
    pub(super) fn on_first_event(
        &mut self,
        attempt: SentAttempt,
        first_event_at: Instant,
        form: AnswerForm,
    ) {
        if let Some((adaptive, member)) = self.member(attempt) {
            adaptive.on_first_event(member, first_event_at, form);
        }
    }

    /// Records that the provider had no room for an attempt.
    pub(super) fn on_overload(&mut self, attempt: SentAttempt) {
        if let Some((adaptive, member)) = self.member(attempt) {
            adaptive.on_overload(member);
        }
    }

    /// Records that an attempt and its body have ended.
    pub(super) fn on_end(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if let Some(adaptive) = self.adaptive() {
            adaptive.on_end();
        }
    }

    /// The adaptive limit that an attempt is a member of, unless another bound has replaced it.
    fn member(&mut self, attempt: SentAttempt) -> Option<(&mut AdaptiveLimit, RoundMember)> {
        let member = attempt.member.filter(|_| attempt.bound == self.replaced)?;
        Some((self.adaptive()?, member))
    }

    fn adaptive(&mut self) -> Option<&mut AdaptiveLimit> {
        match &mut self.bound {
            Bound::Adaptive(adaptive) => Some(adaptive),
            Bound::Unlimited | Bound::Fixed(_) => None,
        }
    }
}

// === impl Bound ===

impl Bound {
    fn new(concurrency: &Concurrency, in_flight: u32) -> Self {
        match concurrency {
            Concurrency::Unlimited => Self::Unlimited,
            Concurrency::Fixed(limit) => Self::Fixed(*limit),
            Concurrency::Adaptive(policy) => {
                Self::Adaptive(AdaptiveLimit::joined(policy.clone(), in_flight).into())
            }
        }
    }
}

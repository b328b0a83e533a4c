//! The budget of one route.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use tokio::time::Instant;

use super::{
    answers::{Answers, MAX_TOKENS, decrement},
    terms::{SharedTerms, TOKEN, Terms},
};
use crate::route_state::{AtRest, Rest};

/// Limits extra attempts: retries and hedges.
///
/// Each first attempt earns a share of a token (20 % by default) and each answer a whole one; each extra attempt spends a whole
/// one. At most `reserve` tokens are kept, and the budget starts with that number. Nothing else earns tokens, and time does not.
/// So the number of extra attempts in **any** period, of whatever length, is at most
///
/// > `share` × the first attempts in it + the answers in it + `reserve`.
///
/// Retries (not hedges) may also borrow one token for each two attempts that are under way, since an answer that takes twenty
/// seconds cannot have earned anything in the first twenty. The next answers pay it back, and until they have, it is not lent
/// again: without answers it is lent once.
///
/// Retries may also spend tokens earned beyond the reserve: at most one for each answer of the ten to twenty seconds before the
/// last answer. They cover calls lost at one moment, such as fifty calls on one connection: a route that constantly answers that
/// many can take them again.
///
/// If nothing is answered, extra attempts are limited to a share of the calls. If most calls are answered, a retry that can save
/// a call is never refused: at a provider that fails half of its attempts, two retries a call need three quarters of a token and
/// earn one.
///
/// With a share of 0.2, a client with 60 calls a minute makes 18 000 first attempts in an outage of five hours and at most 3 610
/// extra ones. With two retries a call and no budget it would make 36 000. A budget that is refilled by time, ten tokens a
/// second, would not have stopped one of them.
///
/// ```
/// use evenkeel::retry::Budget;
///
/// let budget = Budget::new(0.2, 1).expect("a fifth, and one to begin with");
/// assert!(budget.withdraw(), "the reserve");
/// assert!(!budget.withdraw(), "spent");
/// (0..5).for_each(|_| budget.deposit());
/// assert!(budget.withdraw(), "five first attempts have earned one more");
/// ```
pub struct Budget {
    /// In millionths of a token.
    balance: AtomicU64,
    terms: SharedTerms,
    /// Whether the reserve is empty at the start.
    unearned: bool,
    answers: Answers,
    /// Attempts that have not ended.
    under_way: AtomicU64,
    /// Tokens that retries have borrowed from future answers.
    lent: AtomicU64,
}

// === impl Budget ===

impl Budget {
    /// The largest reserve.
    pub const MAX_RESERVE: u32 = MAX_TOKENS;

    /// Creates a budget that earns `share` of a token for each first attempt, and keeps at most `reserve` tokens.
    ///
    /// `None` unless the share is above 0 and at most 1, and the reserve is from 1 to [`MAX_RESERVE`](Self::MAX_RESERVE).
    pub fn new(share: f64, reserve: u32) -> Option<Self> {
        let sound = share > 0.0 && share <= 1.0 && (1..=Self::MAX_RESERVE).contains(&reserve);
        sound.then(|| Self::of(Terms::new(share, reserve)))
    }

    /// Creates a budget of validated numbers.
    pub(super) fn of(terms: Terms) -> Self {
        let [under_way, lent] = [0; 2].map(AtomicU64::new);
        let (balance, answers) = (AtomicU64::new(terms.most), Answers::new());
        let terms = SharedTerms::new(terms);
        Self { balance, terms, unearned: false, answers, under_way, lent }
    }

    /// The same with an empty reserve at the start, which has to be earned.
    pub(super) fn unearned(terms: Terms) -> Self {
        Self { balance: AtomicU64::new(0), unearned: true, ..Self::of(terms) }
    }

    /// Applies other terms, if they differ. What is spent of the reserve stays spent.
    pub(super) fn adopt(&self, terms: Terms) {
        let Some(before) = self.terms.replace(terms) else { return };
        let moved = |balance: u64| match self.unearned {
            true => Some(balance.min(terms.most)),
            false => Some(terms.most.saturating_sub(before.saturating_sub(balance))),
        };
        // Never fails, as `moved` never returns `None`.
        let _ = self.balance.fetch_update(Ordering::Relaxed, Ordering::Relaxed, moved);
    }

    /// The balance at the start.
    fn start(&self) -> u64 {
        if self.unearned { 0 } else { self.terms.get().most }
    }

    /// Records that a first attempt was sent.
    pub fn deposit(&self) {
        self.earn(self.terms.get().earned);
    }

    /// Records that a call was answered.
    pub fn answered(&self) {
        self.answered_at(Instant::now());
    }

    pub(crate) fn answered_at(&self, now: Instant) {
        let full = self.balance.load(Ordering::Relaxed) >= self.terms.get().most;
        self.answers.add(now, full);
        if !decrement(&self.lent) {
            self.earn(TOKEN);
        }
    }

    /// Records the start of an attempt. Each [ends](Self::ended) once.
    pub(crate) fn started(&self) {
        self.under_way.fetch_add(1, Ordering::Relaxed);
    }

    /// Records the end of an attempt, whatever its outcome.
    pub(crate) fn ended(&self) {
        decrement(&self.under_way);
    }

    fn earn(&self, earned: u64) {
        let most = self.terms.get().most;
        let more = |balance: u64| Some(balance.saturating_add(earned).min(most));
        // Relaxed: the balance is all there is, nothing else is published with it. Never fails, as `more` never returns `None`.
        let _ = self.balance.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// Takes a token for an extra attempt; `false` if none is left.
    pub fn withdraw(&self) -> bool {
        let less = |balance: u64| balance.checked_sub(TOKEN);
        self.balance.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    /// The same for a retry, which may also take a token earned beyond the reserve, or borrow one from a future answer.
    pub(crate) fn withdraw_retry(&self) -> bool {
        self.withdraw() || self.answers.spend() || self.borrow()
    }

    fn borrow(&self) -> bool {
        let most = self.under_way.load(Ordering::Relaxed) / 2;
        let more = |lent: u64| (lent < most).then(|| lent + 1);
        self.lent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// Resets the budget to its start.
    pub(crate) fn refill(&self) {
        self.balance.store(self.start(), Ordering::Relaxed);
        self.lent.store(0, Ordering::Relaxed);
    }

    /// Gives back the token of an extra attempt that was not sent.
    pub(crate) fn give_back(&self) {
        self.earn(TOKEN);
    }

    /// The share of the reserve that is left at the moment, from 0 to 1.
    pub fn share_left(&self) -> f64 {
        self.balance.load(Ordering::Relaxed) as f64 / self.terms.get().most as f64
    }

    /// The number of extra attempts that are left at the moment.
    pub fn left(&self) -> u32 {
        u32::try_from(self.balance.load(Ordering::Relaxed) / TOKEN).unwrap_or(u32::MAX)
    }
}

/// A budget that has spent tokens is not at rest: a new one would have its full reserve again.
impl AtRest for Budget {
    fn rest(&self, _: Instant) -> Rest {
        let counts = [&self.under_way, &self.lent].map(|count| count.load(Ordering::Relaxed));
        match self.balance.load(Ordering::Relaxed) >= self.start() && counts == [0, 0] {
            true => Rest::Settled,
            false => Rest::Fading,
        }
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tokens = |millionths: u64| millionths as f64 / TOKEN as f64;
        f.debug_struct("Budget")
            .field("left", &tokens(self.balance.load(Ordering::Relaxed)))
            .field("earned", &tokens(self.terms.get().earned))
            .field("most", &tokens(self.terms.get().most))
            .field("lent", &self.lent.load(Ordering::Relaxed))
            .finish()
    }
}

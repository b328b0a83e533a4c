//! The budget of one route.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use tokio::time::Instant;

use super::answers::{Answers, MAX_TOKENS, decrement};
use crate::route_state::{AtRest, Rest};

/// A bound on extra attempts: retries and hedges.
///
/// Each first attempt earns a share of a token (20 % by default) and each answer a whole one, each extra attempt spends a whole
/// one. At most `reserve` tokens are kept, and that many are there at the start. Nothing else earns, and no time that passes. So
/// the number of extra attempts in **any** stretch of time, of whatever length, is at most
///
/// > `share` × the first attempts in it + the answers in it + `reserve`.
///
/// Retries alone may also borrow one token for each two attempts that are under way, for an answer that takes twenty seconds cannot
/// have earned anything in the first twenty. The next answers pay it back, and until they have, it is not lent again: without
/// answers it comes once.
///
/// Retries alone may also spend what is over the reserve: at most one token for each answer of the ten to twenty seconds before
/// the last one. They are there for what is lost at one moment, such as fifty calls on one connection: a route that answers that
/// many all the time is sent them again.
///
/// Where nothing is answered, that is a share of what is asked. Where most is, a retry that can save a call is never refused:
/// at a provider that fails half of its attempts, two retries a call need three quarters of a token and earn one.
///
/// With a share of 0.2, a client with 60 calls a minute makes 18 000 first attempts in an outage of five hours and at most
/// 3 610 extra ones. With two retries a call and no budget they would be 36 000. A budget that is refilled by time, ten tokens a
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
    /// Millionths of a token.
    balance: AtomicU64,
    earned: u64,
    most: u64,
    /// What was there at the start.
    start: u64,
    answers: Answers,
    /// Attempts that have not ended.
    under_way: AtomicU64,
    /// Tokens that retries have borrowed from the answers to come.
    lent: AtomicU64,
}

/// One token.
const TOKEN: u64 = 1_000_000;

// === impl Budget ===

impl Budget {
    /// The largest reserve.
    pub const MAX_RESERVE: u32 = MAX_TOKENS;

    /// A budget that earns `share` of a token by each first attempt, and keeps at most `reserve` tokens.
    ///
    /// `None` where the share is not more than 0 and at most 1, or the reserve is not from 1 to [`MAX_RESERVE`](Self::MAX_RESERVE).
    pub fn new(share: f64, reserve: u32) -> Option<Self> {
        let sound = share > 0.0 && share <= 1.0 && (1..=Self::MAX_RESERVE).contains(&reserve);
        sound.then(|| Self::of(share, reserve))
    }

    /// A budget of numbers that were checked.
    pub(crate) fn of(share: f64, reserve: u32) -> Self {
        let most = u64::from(reserve) * TOKEN;
        // Rounded, as 0.29 millions are 289999.99…; `as` cannot overflow, it saturates.
        let earned = (share * TOKEN as f64).round() as u64;
        let [under_way, lent] = [0; 2].map(AtomicU64::new);
        let balance = AtomicU64::new(most);
        Self { balance, earned, most, start: most, answers: Answers::new(), under_way, lent }
    }

    /// The same with nothing in reserve at the start: all of it has to be earned.
    pub(super) fn unearned(share: f64, reserve: u32) -> Self {
        Self { balance: AtomicU64::new(0), start: 0, ..Self::of(share, reserve) }
    }

    /// A first attempt was sent.
    pub fn deposit(&self) {
        self.earn(self.earned);
    }

    /// A call was answered.
    pub fn answered(&self) {
        self.answered_at(Instant::now());
    }

    pub(crate) fn answered_at(&self, now: Instant) {
        let full = self.balance.load(Ordering::Relaxed) >= self.most;
        self.answers.add(now, full);
        if !decrement(&self.lent) {
            self.earn(TOKEN);
        }
    }

    /// An attempt starts. Each [ends](Self::ended) once.
    pub(crate) fn started(&self) {
        self.under_way.fetch_add(1, Ordering::Relaxed);
    }

    /// An attempt has ended, in whatever way.
    pub(crate) fn ended(&self) {
        decrement(&self.under_way);
    }

    fn earn(&self, earned: u64) {
        let more = |balance: u64| Some(balance.saturating_add(earned).min(self.most));
        // Relaxed: the balance is all there is, nothing else is published with it. Never fails, as `more` has an answer.
        let _ = self.balance.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// Takes a token for an extra attempt. `false`: none is left, and none is taken.
    pub fn withdraw(&self) -> bool {
        let less = |balance: u64| balance.checked_sub(TOKEN);
        self.balance.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    /// The same for a retry, which may also take the token that an answer has earned over the reserve, or that one to come will earn.
    pub(crate) fn withdraw_retry(&self) -> bool {
        self.withdraw() || self.answers.spend() || self.borrow()
    }

    fn borrow(&self) -> bool {
        let most = self.under_way.load(Ordering::Relaxed) / 2;
        let more = |lent: u64| (lent < most).then(|| lent + 1);
        self.lent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// As at the start.
    pub(crate) fn refill(&self) {
        self.balance.store(self.start, Ordering::Relaxed);
        self.lent.store(0, Ordering::Relaxed);
    }

    /// Gives back the token of an extra attempt that was not sent.
    pub(crate) fn give_back(&self) {
        self.earn(TOKEN);
    }

    /// How many extra attempts are left right now.
    pub fn left(&self) -> u32 {
        u32::try_from(self.balance.load(Ordering::Relaxed) / TOKEN).unwrap_or(u32::MAX)
    }
}

/// A new one in its place would not give back what was spent.
impl AtRest for Budget {
    fn rest(&self, _: Instant) -> Rest {
        let counts = [&self.under_way, &self.lent].map(|count| count.load(Ordering::Relaxed));
        match self.balance.load(Ordering::Relaxed) >= self.start && counts == [0, 0] {
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
            .field("earned", &tokens(self.earned))
            .field("most", &tokens(self.most))
            .field("lent", &self.lent.load(Ordering::Relaxed))
            .finish()
    }
}

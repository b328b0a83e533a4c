//! The budget: extra attempts as a share of first attempts, so that a struggling provider is never hit much harder.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    context::Route,
    keyed_state::{AtRest, KeyedState, Rest},
};

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

/// How many answers there were lately.
#[derive(Debug)]
struct Answers {
    epoch: Instant,
    /// The time slot of the count, by its number.
    slot: AtomicU64,
    count: AtomicU64,
    /// Those in the slot before.
    before: AtomicU64,
    /// Tokens for retries that they have left.
    tokens: AtomicU64,
}

/// The budgets of all routes. A handle: clones share them.
///
/// Give the same to everything that sends extra attempts, so that retries and hedges draw on one budget.
#[derive(Clone)]
pub struct Budgets(Arc<Kind>);

enum Kind {
    PerRoute {
        routes: Box<KeyedState<Budget>>,
        make: fn(f64, u32) -> Budget,
        share: f64,
        reserve: u32,
    },
    One(Arc<Budget>),
}

/// One token.
const TOKEN: u64 = 1_000_000;

/// For how long answers are counted together.
const SLOT: Duration = Duration::from_secs(10);

// === impl Budget ===

impl Budget {
    /// The largest reserve.
    pub const MOST: u32 = 10_000;

    /// A budget that earns `share` of a token by each first attempt, and keeps at most `reserve` tokens.
    ///
    /// `None` where the share is not more than 0 and at most 1, or the reserve is not from 1 to [`MOST`](Self::MOST).
    pub fn new(share: f64, reserve: u32) -> Option<Self> {
        let sound = share > 0.0 && share <= 1.0 && (1..=Self::MOST).contains(&reserve);
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
    fn unearned(share: f64, reserve: u32) -> Self {
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
        self.withdraw() || decrement(&self.answers.tokens) || self.borrow()
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

// === impl Answers ===

impl Answers {
    fn new() -> Self {
        let [slot, count, before, tokens] = [0; 4].map(AtomicU64::new);
        Self { epoch: Instant::now(), slot, count, before, tokens }
    }

    /// Counts one, and `keeps` the token that it has earned. Two threads that move on to a slot at one moment may lose a few,
    /// which makes the bound a little lower.
    fn add(&self, now: Instant, keeps: bool) {
        let slot = now.saturating_duration_since(self.epoch).as_secs() / SLOT.as_secs();
        let was = self.slot.swap(slot, Ordering::Relaxed);
        if was != slot {
            let count = self.count.swap(0, Ordering::Relaxed);
            self.before.store(if was + 1 == slot { count } else { 0 }, Ordering::Relaxed);
        }
        let lately = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let most =
            lately.saturating_add(self.before.load(Ordering::Relaxed)).min(Budget::MOST.into());
        let more = |tokens: u64| Some(tokens.saturating_add(u64::from(keeps)).min(most));
        // Never fails, as `more` has an answer.
        let _ = self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }
}

/// One less; `false` where there is none.
fn decrement(count: &AtomicU64) -> bool {
    let less = |count: u64| count.checked_sub(1);
    count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
}

// === impl Budgets ===

impl Budgets {
    /// One budget for each route, made on first use, forgotten after two hours without a call.
    pub(crate) fn per_route(share: f64, reserve: u32) -> Self {
        Self(Arc::new(Kind::PerRoute {
            routes: KeyedState::new().into(),
            make: Budget::of,
            share,
            reserve,
        }))
    }

    /// The same with nothing in reserve at the start: never more than `share` of the first attempts.
    pub(crate) fn unearned(share: f64, reserve: u32) -> Self {
        let make = Budget::unearned;
        Self(Arc::new(Kind::PerRoute { routes: KeyedState::new().into(), make, share, reserve }))
    }

    /// One budget for all routes: where they share one capacity, such as a gateway of your own.
    pub fn one(budget: impl Into<Arc<Budget>>) -> Self {
        Self(Arc::new(Kind::One(budget.into())))
    }

    /// The budget of a route.
    pub fn of(&self, route: &Route) -> Arc<Budget> {
        self.at(route, Instant::now())
    }

    pub(crate) fn at(&self, route: &Route, now: Instant) -> Arc<Budget> {
        match &*self.0 {
            Kind::PerRoute { routes, make, share, reserve } => {
                routes.of(route, now, |_| make(*share, *reserve))
            }
            Kind::One(budget) => budget.clone(),
        }
    }

    /// The budget of a route is as at the start. One that all routes share stays as it is.
    pub(crate) fn reset(&self, route: &Route) {
        if let Kind::PerRoute { routes, .. } = &*self.0 {
            routes.get(route).iter().for_each(|budget| budget.refill());
        }
    }
}

impl fmt::Debug for Budgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::PerRoute { routes, .. } => write!(f, "Budgets({routes:?})"),
            Kind::One(budget) => write!(f, "Budgets({budget:?})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn budget(share: f64, reserve: u32) -> Budget {
        Budget::new(share, reserve).unwrap()
    }

    fn drain(budget: &Budget) -> u32 {
        std::iter::from_fn(|| budget.withdraw().then_some(())).count() as u32
    }

    #[test]
    fn the_reserve_is_there_at_the_start_and_no_more() {
        assert_eq!(drain(&budget(0.2, 10)), 10);
    }

    #[test]
    fn five_first_attempts_earn_one_extra() {
        let budget = budget(0.2, 10);
        drain(&budget);
        (0..4).for_each(|_| budget.deposit());
        assert!(!budget.withdraw());
        budget.deposit();
        assert!(budget.withdraw() && !budget.withdraw());
    }

    #[test]
    fn what_is_earned_over_the_reserve_is_not_kept() {
        let budget = budget(0.2, 10);
        (0..10_000).for_each(|_| budget.deposit());
        assert_eq!(drain(&budget), 10);
    }

    #[test]
    fn a_refused_withdrawal_takes_nothing() {
        let budget = budget(0.5, 1);
        drain(&budget);
        budget.deposit();
        assert!(!budget.withdraw());
        budget.deposit();
        assert!(budget.withdraw());
    }

    #[test]
    fn failures_earn_as_much_as_successes_and_no_more() {
        // Every call fails and wants two retries: what is sent is 20 % over, not 200 %.
        let budget = budget(0.2, 10);
        let mut extra = 0;
        for _ in 0..10_000 {
            budget.deposit();
            extra += u32::from(budget.withdraw()) + u32::from(budget.withdraw());
        }
        assert!((2_000..=2_010).contains(&extra), "{extra}");
    }

    #[test]
    fn an_outage_of_five_hours_at_a_call_a_second_stays_within_a_fifth() {
        let budget = budget(0.2, 10);
        let mut extra = 0;
        for _ in 0..5 * 3600 {
            budget.deposit();
            extra += u32::from(budget.withdraw()) + u32::from(budget.withdraw());
        }
        assert!(extra <= 3_610, "{extra}");
    }

    #[test]
    fn unsound_numbers_are_refused() {
        let unsound = [(0.0, 1), (-0.1, 1), (1.1, 1), (f64::NAN, 1), (0.2, 0), (0.2, 10_001)];
        for (share, reserve) in unsound {
            assert!(Budget::new(share, reserve).is_none(), "{share} {reserve}");
        }
    }

    #[test]
    fn threads_never_overdraw() {
        let budget = budget(0.5, 100);
        let drained: u32 = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        (0..500)
                            .map(|_| {
                                budget.deposit();
                                u32::from(budget.withdraw())
                            })
                            .sum()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| -> u32 { thread.join().unwrap() }).sum()
        });
        assert!(drained <= 2_000 / 2 + 100, "{drained}");
    }

    #[test]
    fn routes_have_their_own_unless_one_is_shared() {
        let (a, b) = (Route::new("p", "a", "-"), Route::new("p", "b", "-"));
        let own = Budgets::per_route(0.2, 1);
        assert!(own.of(&a).withdraw() && own.of(&b).withdraw() && !own.clone().of(&a).withdraw());
        let one = Budgets::one(budget(0.2, 1));
        assert!(one.of(&a).withdraw() && !one.of(&b).withdraw());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_answered_lately_may_be_lost_at_one_moment() {
        let budget = budget(0.2, 10);
        for _ in 0..600 {
            budget.deposit();
            budget.answered();
            tokio::time::advance(Duration::from_millis(100)).await;
        }
        let retries = || std::iter::from_fn(|| budget.withdraw_retry().then_some(())).count();
        assert_eq!(budget.left(), 10, "nobody else has more");
        let left = retries();
        assert!((110..=210).contains(&left), "ten a second: {left}");
        tokio::time::advance(Duration::from_secs(3600)).await;
        (0..100).for_each(|_| budget.answered());
        assert_eq!(retries(), 100, "as many as were answered since");
        assert_eq!(retries(), 0);
    }

    #[test]
    fn what_is_under_way_lends_once_until_it_is_paid_back() {
        let budget = budget(0.2, 10);
        drain(&budget);
        let retries = || std::iter::from_fn(|| budget.withdraw_retry().then_some(())).count();
        (0..60).for_each(|_| budget.started());
        assert!(!budget.withdraw(), "a hedge does not borrow");
        assert_eq!(retries(), 30);
        (0..60).for_each(|_| budget.ended());
        (0..60).for_each(|_| budget.started());
        assert_eq!(retries(), 0, "nothing was answered");
        (0..10).for_each(|_| budget.answered());
        assert_eq!((budget.left(), retries()), (0, 10), "paid back, and lent again");
        (0..40).for_each(|_| budget.answered());
        assert_eq!(budget.left(), 10, "all is paid back");
    }

    proptest! {
        /// Time cannot earn, so each window of time is a stretch of the steps, and all of them are looked at.
        #[test]
        fn law_in_any_window_the_extras_are_a_share_of_the_first_attempts_and_the_reserve(
            percent in 1..=100_u32, reserve in 1..20_u32,
            steps in proptest::collection::vec(any::<bool>(), 0..200),
        ) {
            let budget = budget(f64::from(percent) / 100.0, reserve);
            let taken: Vec<(u64, u64)> = steps.iter().map(|first| match first {
                true => { budget.deposit(); (1, 0) }
                false => (0, u64::from(budget.withdraw())),
            }).collect();
            for start in 0..taken.len() {
                let (mut firsts, mut extras) = (0, 0);
                for (first, extra) in &taken[start..] {
                    firsts += first;
                    extras += extra;
                    prop_assert!(100 * extras <= u64::from(percent) * firsts + 100 * u64::from(reserve));
                }
            }
        }

        /// The bound is not kept by refusing everything: what is earned can be spent, to the last token.
        #[test]
        fn law_what_is_earned_is_there(percent in 1..=100_u32, firsts in 0..2_000_u32) {
            let budget = budget(f64::from(percent) / 100.0, Budget::MOST);
            drain(&budget);
            (0..firsts).for_each(|_| budget.deposit());
            prop_assert_eq!(drain(&budget), percent * firsts / 100);
        }
    }
}

//! The state of equal targets that is kept when their configuration changes.

use std::sync::{Arc, Mutex};

use super::{pool::Pool, state::GroupState};
use crate::{sync::lock_std as lock, target::Target};

// === impl Pool ===

impl Pool {
    /// Keeps the state of the targets that `before` has as well. Calls under way report to `before`; where both have the same
    /// targets in the same order, that is the same state.
    pub(crate) fn state_of(mut self, before: &Self) -> Self {
        self.made = before.made;
        let same: Vec<_> = self.targets.iter().map(|it| before.position(it)).collect();
        let all = same.iter().enumerate().all(|(at, old)| *old == Some(at));
        if all && before.targets.len() == same.len() {
            self.states = before.states.clone();
            return self;
        }
        let moved = lock(&before.states)
            .iter()
            .map(|(part, state)| (*part, self.moved(state, &same)))
            .collect();
        self.states = Arc::new(Mutex::new(moved));
        self
    }

    /// Where the target is in this pool.
    fn position(&self, target: &Target) -> Option<usize> {
        self.targets.iter().position(|it| it.is_twin_of(target))
    }

    /// The state with the targets at other positions; a new one where there was none.
    fn moved(&self, before: &GroupState, positions: &[Option<usize>]) -> GroupState {
        let mut state = GroupState::new(positions.len(), &self.policy);
        (state.picks, state.usual) = (before.picks, before.usual);
        for (load, position) in state.loads.iter_mut().zip(positions) {
            *load = position.map(|at| before.loads[at].at_rest()).unwrap_or_default();
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::group::BalancePolicy;

    fn target(host: &str) -> Target {
        Target::new(format!("https://{host}.example/v1")).bearer("its key")
    }

    fn pool(hosts: &[&str]) -> Pool {
        Pool::new(hosts.iter().map(|host| target(host)).collect(), BalancePolicy::default())
    }

    #[test]
    fn equal_targets_share_their_state_and_others_take_theirs_along() {
        let old = pool(&["a", "b"]);
        let mut state = GroupState::new(2, &BalancePolicy::default());
        (state.usual, state.picks) = (Some(3.0), 7);
        lock(&old.states).insert("", state);
        let same = pool(&["a", "b"]).state_of(&old);
        assert!(Arc::ptr_eq(&same.states, &old.states));
        let other = pool(&["c", "b", "a"]).state_of(&old);
        assert!(!Arc::ptr_eq(&other.states, &old.states));
        let states = lock(&other.states);
        assert_eq!((states[""].loads.len(), states[""].picks, states[""].usual), (3, 7, Some(3.0)));
        let positions: Vec<_> = other.targets.iter().map(|it| old.position(it)).collect();
        assert_eq!(positions, [None, Some(1), Some(0)]);
        assert_eq!(old.position(&target("a").bearer("another key")), None);
    }
}

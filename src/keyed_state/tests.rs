use std::sync::atomic::{AtomicU8, Ordering};

use proptest::prelude::*;

use super::*;

/// A state that is what it is set to.
#[derive(Debug, Default)]
struct State(AtomicU8);

impl State {
    fn set(&self, rest: Rest) {
        self.0.store(rest as u8, Ordering::Relaxed);
    }

    fn new(rest: Rest) -> Self {
        Self((rest as u8).into())
    }
}

impl AtRest for State {
    fn rest(&self, _: Instant) -> Rest {
        match self.0.load(Ordering::Relaxed) {
            0 => Rest::Settled,
            1 => Rest::Fading,
            _ => Rest::Busy,
        }
    }
}

fn route(n: usize) -> Route {
    Route::new("p", "m", &n.to_string())
}

fn two() -> KeyedState<State> {
    KeyedState::bounded([2, 2, 2], Duration::from_secs(60))
}

fn at(secs: u64) -> Instant {
    static NOW: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    *NOW + Duration::from_secs(secs)
}

fn put(routes: &KeyedState<State>, route: &Route, rest: Rest) -> Arc<State> {
    routes.of(route, at(0), |_| State::new(rest))
}

#[test]
fn the_same_route_has_the_same_state() {
    let routes = KeyedState::new();
    let first = put(&routes, &route(1), Rest::Settled);
    assert!(Arc::ptr_eq(&first, &put(&routes, &route(1), Rest::Settled)));
    assert!(!Arc::ptr_eq(&first, &put(&routes, &route(2), Rest::Settled)));
}

#[test]
fn at_the_bound_the_least_recently_used_is_forgotten() {
    let routes = two();
    routes.of(&route(1), at(0), |_| State::default());
    routes.of(&route(2), at(1), |_| State::default());
    routes.of(&route(1), at(2), |_| State::default());
    routes.of(&route(3), at(3), |_| State::default());
    let kept: Vec<_> = routes.list().into_iter().map(|(route, _)| route).collect();
    assert!(kept.len() == 2 && kept.contains(&route(1)) && kept.contains(&route(3)), "{kept:?}");
}

#[test]
fn an_idle_route_is_forgotten_unless_it_is_busy() {
    for (rest, forgotten) in [(Rest::Settled, true), (Rest::Fading, true), (Rest::Busy, false)] {
        let routes = KeyedState::bounded([9; 3], Duration::from_secs(60));
        put(&routes, &route(1), rest);
        routes.of(&route(2), at(59), |_| State::default());
        assert!(routes.get(&route(1)).is_some());
        routes.of(&route(3), at(61), |_| State::default());
        assert_eq!(routes.get(&route(1)).is_none(), forgotten, "{rest:?}");
    }
}

#[test]
fn what_is_not_at_rest_is_kept_and_the_next_route_has_a_coarse_state() {
    for rest in [Rest::Fading, Rest::Busy] {
        let routes = two();
        let kept = [1, 2].map(|n| put(&routes, &route(n), rest));
        let over = put(&routes, &route(3), rest);
        assert!(
            Arc::ptr_eq(&over, &put(&routes, &route(4), rest)),
            "one for all that are left over"
        );
        assert!(Arc::ptr_eq(&over, &routes.get(&route(5)).unwrap()));
        let other = put(&routes, &Route::new("p", "other", "3"), rest);
        assert!(!Arc::ptr_eq(&over, &other), "each model has its own");
        for (n, kept) in kept.iter().enumerate() {
            assert!(Arc::ptr_eq(kept, &routes.get(&route(n + 1)).unwrap()));
        }
        let coarse = Route::new("p", "m", "*");
        assert!(routes.list().iter().any(|(route, _)| *route == coarse));
    }
}

#[test]
fn what_somebody_holds_is_not_forgotten() {
    let routes = two();
    let held = [1, 2].map(|n| put(&routes, &route(n), Rest::Settled));
    put(&routes, &route(3), Rest::Settled);
    assert!(
        held.iter().zip(1..).all(|(held, n)| Arc::ptr_eq(held, &routes.get(&route(n)).unwrap()))
    );
    drop(held);
    put(&routes, &route(4), Rest::Settled);
    assert!(routes.list().iter().any(|(kept, _)| *kept == route(4)));
}

#[test]
fn where_there_are_too_many_models_a_provider_has_one_state_and_then_all_have() {
    let routes = two();
    let of = |provider: &str, model: usize| {
        put(&routes, &Route::new(provider, &model.to_string(), "-"), Rest::Busy)
    };
    let states: Vec<_> = (0..9).map(|model| of("p", model)).collect();
    assert!(states[5..].iter().all(|state| Arc::ptr_eq(state, &states[4])));
    assert!(!Arc::ptr_eq(&of("q", 1), &states[4]) && !Arc::ptr_eq(&of("r", 1), &states[4]));
    assert!(Arc::ptr_eq(&of("r", 1), &of("s", 1)));
    assert_eq!(routes.list().len(), 7);
}

proptest! {
    #[test]
    fn law_a_table_is_bounded_and_forgets_nothing_that_is_not_at_rest(
        uses in proptest::collection::vec((0..40_usize, 0..3_u8), 1..400),
    ) {
        let routes = KeyedState::<State>::bounded([8, 2, 2], Duration::from_secs(1 << 20));
        let mut known = std::collections::HashMap::new();
        for (n, rest) in uses {
            let rest = [Rest::Settled, Rest::Fading, Rest::Busy][usize::from(rest)];
            let mut own = false;
            let state = routes.of(&route(n), at(0), |made| {
                own = *made == route(n);
                State::default()
            });
            if own || known.contains_key(&n) {
                state.set(rest);
                known.insert(n, (rest, Arc::as_ptr(&state)));
            }
            drop(state);
            prop_assert!(routes.list().len() <= 8 + 1);
            let kept: Vec<_> = routes.list();
            let is_kept = |n: usize| kept.iter().any(|(kept, _)| *kept == route(n));
            for (n, (_, state)) in known.iter().filter(|(_, (rest, _))| *rest != Rest::Settled) {
                let found = routes.get(&route(*n)).map(|found| Arc::as_ptr(&found));
                prop_assert_eq!(found, Some(*state), "{} was forgotten", n);
            }
            known.retain(|n, _| is_kept(*n));
        }
    }
}

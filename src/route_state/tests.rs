use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use proptest::prelude::*;
use tokio::time::Instant;

use super::{state::SLOTS, *};
use crate::route::Route;

/// A state whose rest is set by the test.
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

fn bounded(most: [usize; 3]) -> Slot<State> {
    Slot::new(&Routes::bounded(most, Duration::from_secs(60)))
}

fn two() -> Slot<State> {
    bounded([2, 2, 2])
}

fn at(secs: u64) -> Instant {
    static NOW: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    *NOW + Duration::from_secs(secs)
}

fn put(routes: &Slot<State>, route: &Route, rest: Rest) -> Arc<State> {
    routes.find(route, at(0), |_| State::new(rest))
}

#[test]
fn the_same_route_has_the_same_state() {
    let routes = Slot::new(&Routes::new());
    let first = put(&routes, &route(1), Rest::Settled);
    assert!(Arc::ptr_eq(&first, &put(&routes, &route(1), Rest::Settled)));
    assert!(!Arc::ptr_eq(&first, &put(&routes, &route(2), Rest::Settled)));
}

#[test]
fn at_the_bound_the_least_recently_used_is_forgotten() {
    let routes = two();
    routes.find(&route(1), at(0), |_| State::default());
    routes.find(&route(2), at(1), |_| State::default());
    routes.find(&route(1), at(2), |_| State::default());
    routes.find(&route(3), at(3), |_| State::default());
    let kept: Vec<_> = routes.list().into_iter().map(|(route, _)| route).collect();
    assert!(kept.len() == 2 && kept.contains(&route(1)) && kept.contains(&route(3)), "{kept:?}");
}

#[test]
fn an_idle_route_is_forgotten_unless_it_is_busy() {
    for (rest, forgotten) in [(Rest::Settled, true), (Rest::Fading, true), (Rest::Busy, false)] {
        let routes = bounded([9; 3]);
        put(&routes, &route(1), rest);
        routes.find(&route(2), at(59), |_| State::default());
        assert!(routes.get(&route(1)).is_some());
        routes.find(&route(3), at(61), |_| State::default());
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

#[test]
fn a_value_is_in_the_slot_that_was_registered_for_it() {
    let routes = Routes::new();
    let slots: Vec<Slot<State>> = (0..SLOTS).map(|_| Slot::new(&routes)).collect();
    let handle = routes.find(&route(1), at(0));
    let rests = [Rest::Settled, Rest::Fading, Rest::Busy];
    for (n, slot) in slots.iter().enumerate().skip(1) {
        slot.of(&handle, at(0), |_| State::new(rests[n % 3]));
    }
    assert!(slots[0].peek(&handle).is_none() && slots[0].list().is_empty());
    for (n, slot) in slots.iter().enumerate().skip(1) {
        assert_eq!(slot.peek(&handle).unwrap().rest(at(0)), rests[n % 3], "slot {n}");
        assert_eq!(slot.list().len(), 1);
    }
    assert_eq!(routes.list().len(), 1);
}

#[test]
fn a_part_that_finds_no_slot_left_has_a_registry_of_its_own() {
    let routes = Routes::new();
    let slots: Vec<Slot<State>> = (0..=SLOTS).map(|_| Slot::new(&routes)).collect();
    let handle = routes.find(&route(1), at(0));
    for slot in &slots {
        let value = slot.of(&handle, at(0), |_| State::new(Rest::Busy));
        assert!(Arc::ptr_eq(&value, &slot.get(&route(1)).unwrap()));
        assert!(Arc::ptr_eq(&value, &slot.peek(&handle).unwrap()));
    }
    let shared = |slot: &&Slot<State>| slot.routes().has(&handle);
    assert_eq!(slots.iter().filter(shared).count(), SLOTS);
}

#[test]
fn the_handle_of_another_registry_is_looked_up_anew() {
    let [one, two]: [Slot<State>; 2] = [(); 2].map(|()| Slot::new(&Routes::new()));
    let handle = one.routes().find(&route(1), at(0));
    let value = two.of(&handle, at(0), |_| State::new(Rest::Busy));
    assert!(one.peek(&handle).is_none());
    assert!(Arc::ptr_eq(&value, &two.get(&route(1)).unwrap()));
    assert!(Arc::ptr_eq(&value, &two.own_of(&handle, at(0), no_new).unwrap()));
}

#[test]
fn a_route_without_room_has_no_value_of_its_own() {
    let routes = two();
    let kept = [1, 2].map(|n| put(&routes, &route(n), Rest::Busy));
    let over = routes.routes().find(&route(3), at(0));
    assert!(routes.own_of(&over, at(0), no_new).is_none());
    assert!(routes.find_own(&route(3), at(0), no_new).is_none());
    assert!(routes.get_own(&route(3)).is_none() && routes.list().len() == kept.len());
}

#[test]
fn an_operation_is_looked_up_once_for_what_all_operations_share() {
    let slot: Slot<State> = Slot::new(&Routes::new());
    let routes = slot.routes();
    let chats = put(&slot, &route(1), Rest::Settled);
    let handle = routes.find(&files(), at(0));
    let shared = || slot.of(&routes.without_operation(&handle, at(0)), at(0), no_new);
    assert!(Arc::ptr_eq(&shared(), &chats));
    let look_ups = routes.look_ups();
    assert!(Arc::ptr_eq(&shared(), &chats));
    assert_eq!(routes.look_ups(), look_ups, "it is linked");
    assert!(slot.peek(&handle).is_none(), "the operation has an entry of its own");
}

fn files() -> Route {
    route(1).with_operation("files")
}

/// A `make` for a slot that must not be filled.
fn no_new(route: &Route) -> State {
    panic!("a new state for {route}")
}

#[test]
fn what_an_operation_is_linked_to_is_not_removed_before_it() {
    let slot = bounded([3, 2, 2]);
    let routes = slot.routes();
    let shared = || routes.without_operation(&routes.find(&files(), at(0)), at(0));
    slot.of(&shared(), at(0), |_| State::default());
    for n in 2..20 {
        // The hand passes each entry, and the operation is used again in between.
        put(&slot, &route(n), Rest::Settled);
        slot.of(&shared(), at(0), no_new);
    }
    (20..30).for_each(|n| drop(put(&slot, &route(n), Rest::Settled)));
    assert!(slot.get_own(&route(1)).is_none(), "nobody uses either");
}

#[test]
fn a_use_of_an_operation_is_a_use_of_what_it_is_linked_to() {
    let slot = bounded([9; 3]);
    let routes = slot.routes();
    let shared = routes.without_operation(&routes.find(&files(), at(0)), at(0));
    slot.of(&shared, at(0), |_| State::new(Rest::Fading));
    drop(shared);
    routes.find(&files(), at(59));
    // The operation is evicted when it is idle, and the entry it links to only when the hand passes again.
    routes.find(&route(2), at(118));
    assert!(routes.get_own(&files()).is_some() && slot.get_own(&route(1)).is_some());
    for (secs, kept) in [(119, true), (120, false)] {
        routes.find(&route(secs), at(secs as u64));
        assert!(routes.get_own(&files()).is_none());
        assert_eq!(slot.get_own(&route(1)).is_some(), kept, "after {secs} s");
    }
}

#[test]
fn an_operation_without_room_shares_what_its_route_has() {
    let slot = two();
    let kept = [1, 2].map(|n| put(&slot, &route(n), Rest::Busy));
    let handle = slot.routes().find(&files(), at(0));
    let shared = slot.routes().without_operation(&handle, at(0));
    assert!(Arc::ptr_eq(&slot.of(&shared, at(0), no_new), &kept[0]));
}

proptest! {
    #[test]
    fn law_a_table_is_bounded_and_forgets_nothing_that_is_not_at_rest(
        uses in proptest::collection::vec((0..40_usize, 0..3_u8), 1..400),
    ) {
        let routes = bounded([8, 2, 2]);
        let mut known = std::collections::HashMap::new();
        for (n, rest) in uses {
            let rest = [Rest::Settled, Rest::Fading, Rest::Busy][usize::from(rest)];
            let mut own = false;
            let state = routes.find(&route(n), at(0), |made| {
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
    #[test]
    fn law_an_entry_with_one_busy_slot_is_not_removed_whatever_the_others_are(
        rests in proptest::collection::vec(proptest::option::of(0..2_usize), SLOTS),
        busy in 0..SLOTS,
        uses in proptest::collection::vec((0..9_usize, 0..9_000_u64), 0..100),
    ) {
        let routes = Routes::bounded([3, 2, 2], Duration::from_secs(60));
        let slots: Vec<Slot<State>> = (0..SLOTS).map(|_| Slot::new(&routes)).collect();
        let handle = routes.find(&route(0), at(0));
        for (n, slot) in slots.iter().enumerate() {
            let other = rests[n].map(|rest| [Rest::Settled, Rest::Fading][rest]);
            let rest = if n == busy { Some(Rest::Busy) } else { other };
            rest.iter().for_each(|rest| drop(slot.of(&handle, at(0), |_| State::new(*rest))));
        }
        drop(handle);
        let kept = || slots[busy].get_own(&route(0)).map(|kept| Arc::as_ptr(&kept));
        let first = kept();
        for (n, secs) in uses {
            routes.find(&route(n), at(secs));
            prop_assert!(first.is_some() && kept() == first);
        }
        slots[busy].get_own(&route(0)).unwrap().set(Rest::Settled);
        (1..9).for_each(|n| drop(routes.find(&route(n), at(99_999))));
        prop_assert!(kept().is_none(), "it can be removed when it is at rest");
    }
}

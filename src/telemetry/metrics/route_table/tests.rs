use super::*;

fn route(model: &str, credential: &str) -> RouteKey {
    (Scope(0), Route::new("host", model, credential))
}

fn shown(table: &RouteTable, label: &str) -> (CircuitState, f64) {
    let seen = std::cell::Cell::new(None);
    table.show(&label.into(), |shown| seen.set(Some((shown.state, shown.budget))));
    seen.get().unwrap()
}

#[test]
fn the_gauges_of_a_label_show_the_worst_of_its_routes() {
    let table = RouteTable::new(8);
    let [one, other] = ["one", "other"].map(|model| route(model, "-"));
    table.learn(&one, "primary", None);
    table.learn(&other, "primary", None);
    assert_eq!(shown(&table, "primary"), (CircuitState::Closed, 1.0));
    table.changed(&one, CircuitState::Open, 1).unwrap();
    table.changed(&other, CircuitState::Recovering, 1).unwrap();
    assert_eq!(
        (table.spent(&other, 0.5).as_deref(), table.spent(&other, 0.5)),
        (Some("primary"), None)
    );
    assert_eq!(shown(&table, "primary"), (CircuitState::Open, 0.5));
    table.changed(&one, CircuitState::Closed, 2).unwrap();
    assert_eq!(shown(&table, "primary"), (CircuitState::Recovering, 0.5));
}

#[test]
fn a_change_that_arrives_late_is_ignored_and_a_new_breaker_begins_at_one() {
    let table = RouteTable::new(8);
    let one = route("one", "-");
    table.learn(&one, "primary", None);
    table.changed(&one, CircuitState::Closed, 4).unwrap();
    assert_eq!(table.changed(&one, CircuitState::Open, 3), None);
    assert_eq!(shown(&table, "primary").0, CircuitState::Closed);
    table.changed(&one, CircuitState::Open, 1).unwrap();
    assert_eq!(shown(&table, "primary").0, CircuitState::Open);
}

#[test]
fn a_route_that_stands_for_others_has_the_label_of_one_of_them() {
    let table = RouteTable::new(8);
    table.learn(&route("one", "key"), "first", None);
    table.learn(&route("two", "key"), "second", Some(3));
    assert_eq!(&*table.label(&route("two", "*")), "second/3");
    assert_eq!(&*table.changed(&route("two", "*"), CircuitState::Open, 1).unwrap(), "second/3");
    assert_eq!(shown(&table, "second/3").0, CircuitState::Open);
    assert!(["first", "second/3"].contains(&&*table.label(&route("*", "*"))));
    assert_eq!(&*table.label(&(Scope(0), Route::new("elsewhere", "one", "key"))), "other");
}

#[test]
fn routes_at_rest_make_room_and_others_keep_their_place() {
    let table = RouteTable::new(8);
    for at in 0..MAX_ROUTES {
        let route = route(&at.to_string(), "-");
        table.learn(&route, "primary", None);
        if at < 2 {
            table.changed(&route, CircuitState::Open, 1).unwrap();
        }
    }
    table.learn(&route("one more", "-"), "primary", None);
    let routes = lock_std(&table.routes);
    assert_eq!(routes.entries.len(), 3, "two are open, one is new");
}

#[test]
fn where_no_route_is_at_rest_another_is_not_kept() {
    let table = RouteTable::new(8);
    for at in 0..=MAX_ROUTES {
        let route = route(&at.to_string(), "-");
        table.learn(&route, "primary", None);
        table.changed(&route, CircuitState::Open, 1);
    }
    assert_eq!(lock_std(&table.routes).entries.len(), MAX_ROUTES);
}

#[test]
fn each_client_has_breakers_of_its_own_until_it_is_dropped() {
    let table = RouteTable::new(8);
    let [one, other] = [0, 1].map(|client| (Scope(client), Route::new("host", "m", "-")));
    table.learn(&one, "primary", None);
    table.learn(&other, "primary", None);
    table.changed(&one, CircuitState::Open, 5).unwrap();
    table.changed(&other, CircuitState::Open, 1).unwrap();
    table.changed(&other, CircuitState::Closed, 2).unwrap();
    assert_eq!(shown(&table, "primary").0, CircuitState::Open);
    assert_eq!(table.forget(Scope(1)).len(), 0, "it was at rest");
    assert_eq!(table.forget(Scope(0)), HashSet::from(["primary".into()]));
    assert_eq!(shown(&table, "primary").0, CircuitState::Closed);
}

//! What was logged already: an unknown code once for each provider, a rejected model once for each route, and neither
//! with every call.

use std::{
    collections::HashSet,
    sync::{LazyLock, Mutex},
};

use crate::{context::Route, outcome::Code, sync::lock_std};

/// As many are told in the life of a process; whoever has not added them to the table by then will not by more.
const MOST: usize = 256;

/// Providers with their codes.
type Told = HashSet<(Box<str>, Code)>;

/// Whether an unknown code of a provider was not told yet. It is told now.
pub(super) fn is_first(provider: &str, code: &Code) -> bool {
    static TOLD: LazyLock<Mutex<Told>> = LazyLock::new(Mutex::default);
    let mut told = lock_std(&TOLD);
    told.len() < MOST && told.insert((provider.into(), code.clone()))
}

/// Whether it was not logged yet that a route has no such model. It is logged now.
pub(super) fn is_first_model(route: &Route) -> bool {
    static LOGGED: LazyLock<Mutex<HashSet<Route>>> = LazyLock::new(Mutex::default);
    let mut logged = lock_std(&LOGGED);
    logged.len() < MOST && logged.insert(route.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_told_once_for_each_provider_and_not_without_end() {
        let code = |text: &str| Code::new(text).unwrap();
        assert!(is_first("a", &code("once")));
        assert!(!is_first("a", &code("once")));
        assert!(is_first("b", &code("once")));
        let told = (0..2 * MOST).filter(|n| is_first("a", &code(&format!("code_{n}")))).count();
        assert!(told < MOST, "{told}");
        assert!(!is_first("a", &code("one_more")));
    }

    #[test]
    fn each_route_without_its_model_is_logged_once_and_not_without_end() {
        let route = |model: &str| Route::new("provider", model, "-");
        assert!(is_first_model(&route("wrong")) && !is_first_model(&route("wrong")));
        let logged = (0..2 * MOST).filter(|n| is_first_model(&route(&n.to_string()))).count();
        assert!(logged < MOST, "{logged}");
    }
}

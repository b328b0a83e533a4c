//! Limits logging: an unknown code is logged once for each provider.

use std::{
    collections::HashSet,
    sync::{LazyLock, Mutex},
};

use crate::{outcome::Code, sync::lock_std};

/// The maximum number of entries logged in the life of a process.
const MOST: usize = 256;

/// The logged codes, by provider.
type Told = HashSet<(Box<str>, Code)>;

/// Records an unknown code of a provider; returns whether it is new.
pub(super) fn is_first(provider: &str, code: &Code) -> bool {
    static TOLD: LazyLock<Mutex<Told>> = LazyLock::new(Mutex::default);
    let mut told = lock_std(&TOLD);
    told.len() < MOST && told.insert((provider.into(), code.clone()))
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
}

//! The provider that made a value.

use crate::{dialect::Dialect, hash::hash, route::Route};

/// The provider that made a value; for values that belong to one account, with the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Maker(u64);

// === impl Maker ===

impl Maker {
    /// The maker of what comes from that route, in that dialect.
    pub(crate) fn of(route: &Route, dialect: Dialect) -> Self {
        let account = match dialect {
            // Encrypted reasoning and stored responses belong to one organisation.
            Dialect::OpenAiResponses => route.credential(),
            _ => "",
        };
        Self(hash(&(route.provider(), account)))
    }

    /// The maker of what every provider has refused so far: it is no target's own.
    pub(crate) fn nobody() -> Self {
        Self(hash(&()))
    }
}

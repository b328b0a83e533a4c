//! The routes of the clients, and the limits of their keys.

use std::{cmp::Reverse, collections::HashMap};

use evenkeel::{
    Client,
    breaker::{BreakerSnapshot, CircuitState},
    context::Route,
    limit::LimitSnapshot,
};

use crate::setup::Gateway;

/// Which client a route belongs to: each has breakers of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Owner {
    /// Calls in a known dialect.
    Chat,
    /// All other requests.
    Other,
}

/// A route as it is now.
#[derive(Clone, Debug)]
pub(crate) struct SeenRoute {
    pub(crate) owner: Owner,
    pub(crate) route: Route,
    pub(crate) breaker: BreakerSnapshot,
    /// The limits that all operations of its key share, if it was ever sent anything.
    pub(crate) limits: Option<LimitSnapshot>,
}

// === impl Owner ===

impl Owner {
    pub(crate) fn client(self, gateway: &Gateway) -> &Client {
        match self {
            Self::Chat => &gateway.chat,
            Self::Other => &gateway.other,
        }
    }
}

// === impl SeenRoute ===

impl SeenRoute {
    /// All routes, those of most interest first: open, then failing, then busy ones.
    pub(crate) fn all(gateway: &Gateway) -> Vec<Self> {
        let owners = [Owner::Chat, Owner::Other];
        let mut all: Vec<_> =
            owners.into_iter().flat_map(|owner| Self::of(owner, gateway)).collect();
        all.sort_by_cached_key(|seen| (Reverse(seen.interest()), seen.route.to_string()));
        all
    }

    fn of(owner: Owner, gateway: &Gateway) -> impl Iterator<Item = Self> {
        let client = owner.client(gateway);
        let limits: HashMap<_, _> = client.limits().list().into_iter().collect();
        client.breakers().list().into_iter().map(move |(route, breaker)| {
            let limits = limits.get(&route.without_operation()).copied();
            Self { owner, route, breaker, limits }
        })
    }

    /// How much an operator wants to see it.
    fn interest(&self) -> (u8, u32, u32) {
        let busy = self.limits.map_or(0, |limits| {
            limits.in_flight.saturating_add(u32::try_from(limits.waiting).unwrap_or(u32::MAX))
        });
        (rank(self.breaker.state), self.breaker.consecutive_failures, busy)
    }
}

/// The name of a state, with dashes.
pub(crate) fn state_name(state: CircuitState) -> String {
    state.name().replace('_', "-")
}

fn rank(state: CircuitState) -> u8 {
    match state {
        CircuitState::ForcedOpen => 5,
        CircuitState::Open => 4,
        CircuitState::HalfOpen => 3,
        CircuitState::Recovering => 2,
        CircuitState::ForcedClosed => 1,
        _ => 0,
    }
}

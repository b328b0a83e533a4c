//! Coalescing: equal calls in flight share one attempt.
//!
//! No caller leads. The shared attempt is polled by whichever of its callers is polled first after it wakes, and lives as long as
//! one of them is left; dropping the last one cancels it. So no caller depends on another, and none spins.

mod call_settings;
mod coalesce_key;
mod flight;
mod poll_turn;
mod reader;
mod shared_body;
mod shared_error;
mod waiter;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, Weak},
};

pub(super) use self::{
    call_settings::{CallSettings, WaitTerms},
    coalesce_key::CoalesceKey,
};
use self::{
    flight::{Flight, Forget},
    waiter::Waiter,
};
use crate::{
    context::AttemptLog, sync::lock_std as lock, telemetry::SpanHandle, upstream::ResponseFuture,
};

/// All flights of one cache.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<CoalesceKey, Weak<Flight>>>);

/// The result of joining a flight.
pub(super) enum JoinResult {
    First(Waiter),
    Later(Waiter),
    /// There are too many flights: the call is sent alone.
    Full,
}

// === impl Flights ===

impl Flights {
    /// The maximum number of flights.
    pub(super) const MOST: usize = 4096;

    /// Joins the flight of that key, or begins one.
    ///
    /// A call does not join a flight whose deadline is much earlier than its own, since for lack of time the answer may come from
    /// a fallback. Nor does it join a flight of lower priority.
    pub(super) fn join(
        self: &Arc<Self>,
        id: CoalesceKey,
        terms: WaitTerms,
        attempt_log: &AttemptLog,
        send: &mut dyn FnMut() -> ResponseFuture,
    ) -> JoinResult {
        let mut map = lock(&self.0);
        // Dropped only after the map is unlocked: dropping the last reference removes the flight from the map.
        let found = map.get(&id).and_then(Weak::upgrade);
        let begins = match &found {
            Some(flight) => !flight.terms.serves(terms),
            None if map.len() >= Self::MOST => {
                drop(map);
                return JoinResult::Full;
            }
            None => true,
        };
        if !begins {
            drop(map);
            let Some(flight) = found else { return JoinResult::Full };
            return JoinResult::Later(Waiter::new(flight, false));
        }
        // Whichever caller polls it, its events belong to the span of the call that began it.
        let attempt = Box::pin(SpanHandle::current().around(send()));
        let flight = Flight::new(id, self.clone(), terms, attempt_log.clone(), attempt);
        map.insert(id, Arc::downgrade(&flight));
        drop(map);
        JoinResult::First(Waiter::new(flight, true))
    }
}

impl Forget for Flights {
    fn forget(&self, flight: &Flight) {
        let mut map = lock(&self.0);
        if map.get(&flight.id).is_some_and(|known| std::ptr::eq(known.as_ptr(), flight)) {
            map.remove(&flight.id);
        }
    }
}

impl fmt::Debug for Flights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flights({})", lock(&self.0).len())
    }
}

//! Equal calls in flight: one attempt, which all who wait for it keep going.
//!
//! Nobody leads. What is under way is polled by whichever of its callers is polled, once for each time that it wakes, and
//! goes on as long as one of them is left; the last takes it along. So no caller depends on another, and none spins.

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

/// What came of joining one.
pub(super) enum JoinResult {
    First(Waiter),
    Later(Waiter),
    /// There are too many: the call goes alone.
    Full,
}

// === impl Flights ===

impl Flights {
    /// How many flights there are at most.
    pub(super) const MOST: usize = 4096;

    /// Joins the flight of that id, or begins one.
    ///
    /// One that ends long before the call has to is not joined: its answer may be a lesser one for want of time. Nor is one
    /// that waits behind those whom the call goes before.
    pub(super) fn join(
        self: &Arc<Self>,
        id: CoalesceKey,
        terms: WaitTerms,
        attempt_log: &AttemptLog,
        send: &mut dyn FnMut() -> ResponseFuture,
    ) -> JoinResult {
        let mut map = lock(&self.0);
        // Dropped only once the map is free again: the last of a flight takes it out of the map.
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
        // Whoever polls it, its events are those of the call that made it.
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

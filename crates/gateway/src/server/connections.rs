//! The connections that are open: their number, their places, and which of them has to go.
//!
//! There are places for calls, up to `limits.connections` in all and `limits.connections_per_peer` for one address, and
//! [`RESERVED`] more. A connection beyond the bounds closes the one that has waited longest for its own peer, and has a reserved place
//! until that is free. From a reserved place only health is answered: a path is known only once the head has arrived. So idle
//! connections and clients that stall keep out nobody, and health is answered while every place is in a call.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout},
};

use super::{
    activity::{Activity, Order, Phase, STALLED},
    peer::Peer,
    table::{Entry, Table},
    write_budget::WriteBudget,
};
use crate::limits::EdgeLimits;

/// All connections.
#[derive(Debug)]
pub(super) struct Connections {
    limits: EdgeLimits,
    budget: Arc<WriteBudget>,
    table: Mutex<Table>,
    /// Notified when a connection has ended.
    freed: Notify,
}

/// The place of one connection. Dropping it frees the place.
#[derive(Debug)]
pub(super) struct Place {
    id: u64,
    connections: Arc<Connections>,
    activity: Arc<Activity>,
}

/// The places that answer health alone.
pub(crate) const RESERVED: usize = 32;
/// The time for a connection that has to make room.
const ROOM: Duration = Duration::from_millis(50);
/// The shortest and the longest time between two sweeps.
const SWEEP: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(1)];

// === impl Connections ===

impl Connections {
    pub(super) fn new(limits: EdgeLimits) -> Arc<Self> {
        let (budget, table) = (WriteBudget::new(limits.write_buffer), Mutex::default());
        Arc::new(Self { limits, budget, table, freed: Notify::new() })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing panics under the lock.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place of a new connection. Waits only while all reserved places are in use, of which one is freed.
    pub(super) async fn admit(self: &Arc<Self>, address: IpAddr) -> Arc<Place> {
        let peer = Peer::of(address);
        loop {
            let mut freed = std::pin::pin!(self.freed.notified());
            freed.as_mut().enable();
            if let Some(place) = self.enter(peer, Instant::now()) {
                return place;
            }
            let _ = timeout(ROOM, freed).await;
        }
    }

    fn enter(self: &Arc<Self>, peer: Peer, now: Instant) -> Option<Arc<Place>> {
        let mut table = self.table();
        let has_room = table.has_room(peer, &self.limits);
        if !has_room {
            let of_peer = table.is_full(peer, &self.limits);
            table.make_room(now, |entry| !entry.reserved && (!of_peer || entry.peer == peer));
            if table.open.len() - table.ordinary >= RESERVED {
                table.make_room(now, |entry| entry.reserved);
                return None;
            }
        }
        let (id, activity) = (table.next, Arc::new(Activity::new(now, self.budget.connection())));
        table.next += 1;
        table.open.insert(id, Entry { peer, reserved: true, activity: activity.clone() });
        if has_room {
            table.promote(id);
        }
        Some(Arc::new(Place { id, connections: self.clone(), activity }))
    }

    /// Closes connections whose time is over, and those that hold most above the budget of bytes. Runs until it is dropped.
    pub(super) async fn sweep_forever(self: Arc<Self>) {
        let limits = &self.limits;
        let shortest = limits.idle.min(limits.head).min(limits.write).min(limits.read);
        let period = (shortest / 8).clamp(SWEEP[0], SWEEP[1]);
        loop {
            let draining = self.table().draining.is_some();
            sleep(if draining { SWEEP[0].max(period / 8) } else { period }).await;
            self.sweep(Instant::now());
        }
    }

    fn sweep(&self, now: Instant) {
        let mut table = self.table();
        for entry in table.open.values() {
            let too_old = entry.reserved && entry.activity.age(now) >= self.limits.head;
            if too_old || entry.activity.is_expired(now, &self.limits, table.draining) {
                entry.activity.order(Order::Cut);
            }
        }
        self.relieve(&table, now);
        table.promote_all(&self.limits);
    }

    /// Closes the slowest readers while the bytes that wait are above the budget.
    fn relieve(&self, table: &Table, now: Instant) {
        let mut excess = self.budget.excess();
        if excess == 0 {
            return;
        }
        let unread =
            |entry: &'_ Entry| Some((entry.activity.unread_since()?, entry.activity.clone()));
        let mut slow: Vec<_> = table.open.values().filter_map(unread).collect();
        slow.retain(|(since, _)| *since + STALLED <= now);
        slow.sort_by_key(|(since, _)| *since);
        for (_, activity) in slow {
            if excess == 0 {
                break;
            }
            activity.order(Order::Cut);
            excess = excess.saturating_sub(activity.buffered().bytes());
        }
    }

    /// Begins the drain: every connection ends after its answer.
    pub(super) fn drain(&self) {
        let mut table = self.table();
        table.draining = Some(Instant::now());
        table.open.values().for_each(|entry| entry.activity.order(Order::Finish));
    }

    /// Ends all connections.
    pub(super) fn cut(&self) {
        self.table().open.values().for_each(|entry| entry.activity.order(Order::Cut));
    }

    /// The number of requests that are being answered.
    pub(super) fn calls(&self) -> usize {
        let table = self.table();
        table.open.values().filter(|entry| entry.activity.phase() == Phase::Call).count()
    }

    /// The places for calls that are in use.
    pub(super) fn open(&self) -> usize {
        self.table().ordinary
    }

    /// Waits until no connection is open.
    pub(super) async fn ended(&self) {
        loop {
            let mut freed = std::pin::pin!(self.freed.notified());
            freed.as_mut().enable();
            if self.table().open.is_empty() {
                return;
            }
            freed.await;
        }
    }

    /// Closes the connection that has waited longest for its peer: the system has no descriptor left.
    pub(super) fn shed(&self) {
        self.table().make_room(Instant::now(), |_| true);
    }
}

// === impl Place ===

impl Place {
    pub(super) fn activity(&self) -> &Activity {
        &self.activity
    }

    pub(super) fn limits(&self) -> &EdgeLimits {
        &self.connections.limits
    }

    /// Whether health alone is answered.
    pub(super) fn is_reserved(&self) -> bool {
        self.connections.table().open.get(&self.id).is_none_or(|entry| entry.reserved)
    }

    /// Whether calls are answered, after a moment for a connection that makes room.
    pub(super) async fn answers_calls(&self) -> bool {
        let free = async {
            loop {
                let mut freed = std::pin::pin!(self.connections.freed.notified());
                freed.as_mut().enable();
                if self.try_promote() {
                    return;
                }
                freed.await;
            }
        };
        self.try_promote() || timeout(ROOM, free).await.is_ok()
    }

    fn try_promote(&self) -> bool {
        let mut table = self.connections.table();
        let Some(entry) = table.open.get(&self.id) else { return false };
        if !entry.reserved {
            return true;
        }
        let has_room = table.has_room(entry.peer, &self.connections.limits);
        if has_room {
            table.promote(self.id);
        }
        has_room
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.table().remove(self.id);
        self.connections.freed.notify_waiters();
    }
}

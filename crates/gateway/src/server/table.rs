//! The places of connections.

use std::{collections::HashMap, sync::Arc};

use tokio::time::Instant;

use super::{
    activity::{Activity, Order},
    peer::Peer,
};
use crate::limits::EdgeLimits;

/// The connections that are open.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) next: u64,
    pub(super) open: HashMap<u64, Entry>,
    /// The places for calls in use, in all and by peer.
    pub(super) ordinary: usize,
    peers: HashMap<Peer, usize>,
    pub(super) draining: Option<Instant>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) peer: Peer,
    pub(super) reserved: bool,
    pub(super) activity: Arc<Activity>,
}

// === impl Table ===

impl Table {
    pub(super) fn is_full(&self, peer: Peer, limits: &EdgeLimits) -> bool {
        let limit = peer.limit(limits);
        self.peers.get(&peer).is_some_and(|used| *used >= limit)
    }

    pub(super) fn has_room(&self, peer: Peer, limits: &EdgeLimits) -> bool {
        self.ordinary < limits.connections && !self.is_full(peer, limits)
    }

    /// Gives a reserved connection a place for calls.
    pub(super) fn promote(&mut self, id: u64) {
        let Some(entry) = self.open.get_mut(&id).filter(|entry| entry.reserved) else { return };
        entry.reserved = false;
        self.ordinary += 1;
        *self.peers.entry(entry.peer).or_default() += 1;
    }

    /// Gives reserved connections the places that are free.
    pub(super) fn promote_all(&mut self, limits: &EdgeLimits) {
        let reserved = self.open.iter().filter(|(_, entry)| entry.reserved);
        let reserved: Vec<_> = reserved.map(|(id, entry)| (*id, entry.peer)).collect();
        for (id, peer) in reserved {
            if self.has_room(peer, limits) {
                self.promote(id);
            }
        }
    }

    /// Asks the connection that is worth least, and among equals has waited longest, to make room.
    pub(super) fn make_room(&self, now: Instant, which: impl Fn(&Entry) -> bool) {
        let candidates = self.open.values().filter(|entry| which(entry));
        let waiting = candidates.filter_map(|it| Some((it.activity.waiting(now)?, &it.activity)));
        if let Some((_, first)) = waiting.min_by_key(|(waiting, _)| *waiting) {
            first.order(Order::Yield);
        }
    }

    /// Frees the place of a connection.
    pub(super) fn remove(&mut self, id: u64) {
        let Some(entry) = self.open.remove(&id) else { return };
        if entry.reserved {
            return;
        }
        self.ordinary -= 1;
        if let Some(used) = self.peers.get_mut(&entry.peer) {
            *used -= 1;
            if *used == 0 {
                self.peers.remove(&entry.peer);
            }
        }
    }
}

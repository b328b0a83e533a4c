//! What the paths of the operator's listener share.

use std::{
    hash::{BuildHasher, RandomState},
    net::SocketAddr,
    sync::Arc,
};

use tokio::sync::Semaphore;

use super::{
    access::Access,
    events::Feed,
    history::History,
    listener::{MAX_CONNECTIONS, Watched},
    metrics::{Exporter, Figures},
    rehearse::Rehearsals,
    setup::AdminSetup,
    snapshot::Snapshot,
    unix_time::{UnixMillis, unix_now},
};
use crate::{
    routes::SeenRoute,
    server::{Lifecycle, Phase},
    setup::Gateway,
};

/// What the paths share.
#[derive(Debug)]
pub(super) struct Admin {
    pub(super) access: Access,
    pub(super) history: History,
    pub(super) exporter: Exporter,
    pub(super) feed: Feed,
    pub(super) rehearsals: Rehearsals,
    pub(super) started: UnixMillis,
    /// The connections of this listener that are still allowed.
    pub(super) connections: Arc<Semaphore>,
    watched: Watched,
    ids: RandomState,
}

// === impl Admin ===

impl Admin {
    pub(super) fn new(setup: AdminSetup, watched: Watched) -> Self {
        Self {
            access: Access::new(setup.token),
            history: setup.history,
            exporter: setup.exporter,
            feed: Feed::default(),
            rehearsals: Rehearsals::default(),
            started: unix_now(),
            connections: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            watched,
            ids: RandomState::new(),
        }
    }

    pub(super) fn gateway(&self) -> &Arc<Gateway> {
        &self.watched.gateway
    }

    pub(super) fn lifecycle(&self) -> &Lifecycle {
        &self.watched.lifecycle
    }

    /// The address of the listener of the calls.
    pub(super) fn listen(&self) -> SocketAddr {
        self.watched.listen
    }

    pub(super) fn is_draining(&self) -> bool {
        self.lifecycle().phase() == Phase::Draining
    }

    /// The id of a route in this process.
    pub(super) fn id_of(&self, seen: &SeenRoute) -> String {
        format!("r{:016x}", self.ids.hash_one((seen.owner, &seen.route)))
    }

    /// The route with that id, if it is still kept.
    pub(super) fn route(&self, id: &str) -> Option<SeenRoute> {
        SeenRoute::all(self.gateway()).into_iter().find(|seen| self.id_of(seen) == id)
    }

    /// Everything that the page shows, as JSON.
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot::of(self)
    }

    /// The text of `/metrics`. Reads files of the system.
    pub(super) fn metrics(&self) -> String {
        let max = self.watched.max_connections;
        self.exporter.render(Figures {
            connections: max.saturating_sub(self.watched.connections.available_permits()),
            max_connections: max,
            admin_connections: MAX_CONNECTIONS - self.connections.available_permits(),
            draining: self.is_draining(),
            started: self.started as f64 / 1000.0,
        })
    }
}

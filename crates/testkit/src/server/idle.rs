//! Faults of idle connections.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::watch;

/// The fault of a connection that is idle between two requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdleFault {
    /// The connection closes now (FIN), as after the idle timeout of a server.
    #[default]
    Close,
    /// The next request is answered by a reset (RST), as by a node that was replaced.
    Reset,
    /// The next request is never answered, as by a NAT or a firewall that has dropped the connection.
    Silence,
}

/// The rules for connections, shared by a server and its connections.
#[derive(Clone, Debug, Default)]
pub(super) struct IdleConnections(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    rules: watch::Sender<Rules>,
    idle: AtomicUsize,
}

/// The rules for connections.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rules {
    /// How often the idle connections have been killed.
    kills: u64,
    /// The fault of the last kill.
    fault: IdleFault,
    /// The number of the request that closes a connection in place of an answer, from 1.
    pub(super) close_at: Option<u32>,
    /// Whether a connection is closed after each answer, without `connection: close`.
    pub(super) close_after: bool,
}

/// One connection's view of the rules.
#[derive(Debug)]
pub(super) struct RulesView {
    idle: IdleConnections,
    rules: watch::Receiver<Rules>,
    /// The number of kills when this connection became idle.
    earlier_kills: u64,
}

/// Counts a connection as idle until it is dropped.
#[derive(Debug)]
pub(super) struct IdleGuard(IdleConnections);

// === impl IdleConnections ===

impl IdleConnections {
    pub(super) fn view(&self) -> RulesView {
        RulesView { idle: self.clone(), rules: self.0.rules.subscribe(), earlier_kills: 0 }
    }

    pub(super) fn count(&self) -> usize {
        self.0.idle.load(Ordering::SeqCst)
    }

    pub(super) fn kill(&self, fault: IdleFault) {
        self.change(|rules| (rules.kills, rules.fault) = (rules.kills + 1, fault));
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Rules)) {
        self.0.rules.send_modify(change);
    }
}

// === impl RulesView ===

impl RulesView {
    pub(super) fn current(&self) -> Rules {
        *self.rules.borrow()
    }

    /// The connection is idle until the guard is dropped.
    pub(super) fn begin_idle(&mut self) -> IdleGuard {
        self.earlier_kills = self.current().kills;
        self.idle.0.idle.fetch_add(1, Ordering::SeqCst);
        IdleGuard(self.idle.clone())
    }

    /// Waits until the idle connections are killed.
    pub(super) async fn killed(&mut self) -> IdleFault {
        let earlier = self.earlier_kills;
        // `idle` holds the sender, so it is not dropped before this.
        let killed =
            self.rules.wait_for(|rules| rules.kills != earlier).await.map(|rules| rules.fault);
        match killed {
            Ok(fault) => fault,
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for IdleGuard {
    fn drop(&mut self) {
        self.0.0.idle.fetch_sub(1, Ordering::SeqCst);
    }
}

//! What becomes of connections that a client keeps for its next request.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::watch;

/// How a kept connection dies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeptFault {
    /// It is closed at once (FIN): a server whose limit for idle connections has passed.
    #[default]
    Close,
    /// Nothing happens until the next request, which is answered with a reset (RST): a node that was replaced.
    Reset,
    /// The next request is taken and never answered: a NAT or a firewall that has forgotten the connection.
    Silence,
}

/// The rules for kept connections, shared by a server and its connections.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    rules: watch::Sender<Rules>,
    idle: AtomicUsize,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rules {
    /// How often the idle connections were killed, and how they were the last time.
    killed: u64,
    fault: KeptFault,
    /// The request at which a connection is closed in place of an answer, from 1.
    pub(super) close_at: Option<u32>,
    /// Whether a connection is closed after each answer, without a word in its head.
    pub(super) close_after: bool,
}

/// One connection's view of the rules.
#[derive(Debug)]
pub(super) struct Line {
    kept: Kept,
    rules: watch::Receiver<Rules>,
    /// How often the idle connections had been killed when this one became idle.
    before: u64,
}

/// A connection that is idle; counted for as long as it lives.
#[derive(Debug)]
pub(super) struct Idle(Kept);

// === impl Kept ===

impl Kept {
    pub(super) fn line(&self) -> Line {
        Line { kept: self.clone(), rules: self.0.rules.subscribe(), before: 0 }
    }

    pub(super) fn idle(&self) -> usize {
        self.0.idle.load(Ordering::SeqCst)
    }

    pub(super) fn kill(&self, fault: KeptFault) {
        self.change(|rules| (rules.killed, rules.fault) = (rules.killed + 1, fault));
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Rules)) {
        self.0.rules.send_modify(change);
    }
}

// === impl Line ===

impl Line {
    pub(super) fn rules(&self) -> Rules {
        *self.rules.borrow()
    }

    /// The connection is idle for as long as the answer lives.
    pub(super) fn rest(&mut self) -> Idle {
        self.before = self.rules().killed;
        self.kept.0.idle.fetch_add(1, Ordering::SeqCst);
        Idle(self.kept.clone())
    }

    /// Waits until the idle connections are killed.
    pub(super) async fn killed(&mut self) -> KeptFault {
        let before = self.before;
        // The sender lives as long as this: `kept` holds it.
        let killed = self.rules.wait_for(|rules| rules.killed != before).await.map(|it| it.fault);
        match killed {
            Ok(fault) => fault,
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        self.0.0.idle.fetch_sub(1, Ordering::SeqCst);
    }
}

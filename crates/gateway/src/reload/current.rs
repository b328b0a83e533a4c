//! The gateway that answers, and the status of the last reload.

use std::{sync::Arc, time::SystemTime};

use axum::extract::FromRef;
use tokio::sync::watch;

use crate::gateway::Gateway;

/// The gateway that answers requests that begin now. A handle: clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    gateway: watch::Sender<Arc<Gateway>>,
    status: watch::Sender<Status>,
}

/// How the last reload went.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    /// When the configuration that is in use was loaded.
    pub(crate) loaded_at: SystemTime,
    /// The number of reloads since the start.
    pub(crate) reloads: u64,
    /// The configuration that was refused since then, if there is one.
    pub(crate) refused: Option<Refused>,
}

/// A configuration that was refused.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) at: SystemTime,
    /// What is wrong, in one line: the file, the line, the key and what is allowed. No value that may be a key.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the log has it; the page of the operator will show it")
    )]
    pub(crate) error: String,
}

// === impl Current ===

impl Current {
    pub(crate) fn new(gateway: Gateway) -> Self {
        let status = Status { loaded_at: SystemTime::now(), reloads: 0, refused: None };
        Self { gateway: watch::Sender::new(Arc::new(gateway)), status: watch::Sender::new(status) }
    }

    /// The gateway. A call keeps the one that it began with.
    pub(crate) fn gateway(&self) -> Arc<Gateway> {
        self.gateway.borrow().clone()
    }

    /// Replaces the gateway, for requests that begin from now on.
    pub(super) fn replace(&self, gateway: Gateway) {
        // The old one is dropped without the lock, unless a call keeps it.
        drop(self.gateway.send_replace(Arc::new(gateway)));
        self.status.send_modify(|status| {
            let reloads = status.reloads + 1;
            *status = Status { loaded_at: SystemTime::now(), reloads, refused: None };
        });
    }

    /// Records that a configuration was refused.
    pub(super) fn refuse(&self, error: String) {
        let refused = Some(Refused { at: SystemTime::now(), error });
        self.status.send_modify(|status| status.refused = refused);
    }

    /// The status of the last reload.
    pub(crate) fn status(&self) -> Status {
        self.status.borrow().clone()
    }
}

impl FromRef<Current> for Arc<Gateway> {
    fn from_ref(current: &Current) -> Self {
        current.gateway()
    }
}

//! An attempt that a breaker has let through, as the layers below report of it.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use super::Connection;
use crate::sync::lock_std as lock;

/// An attempt that a breaker has let through. A handle: a queue below says that the attempt waits, so that the wait is not taken
/// for latency; the transport says that a connection failed, so that this is not taken for the provider's failure. The
/// breaker puts it into the attempt's request.
#[derive(Clone)]
pub(crate) struct Admission(Arc<Inner<dyn Admits>>);

struct Inner<A: ?Sized> {
    stage: Mutex<QueueStage>,
    connection: Connection,
    admits: A,
}

/// Where an attempt is that a breaker has let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueueStage {
    /// It did not have to wait.
    NotQueued,
    /// It waits.
    Queued,
    /// It waited until then.
    Left(Instant),
}

/// The breaker, as it is asked again after a wait.
pub(crate) trait Admits: Send + Sync {
    /// Whether the attempt still goes through; if not, in how long it is worth coming back.
    fn still_admits(&self, now: Instant) -> Result<(), Duration>;
}

// === impl Admission ===

impl Admission {
    pub(crate) fn new(admits: impl Admits + 'static) -> Self {
        let (stage, connection) = (Mutex::new(QueueStage::NotQueued), Connection::default());
        Self(Arc::new(Inner { stage, connection, admits }))
    }

    /// The attempt waits in a queue.
    pub(crate) fn waits(&self) {
        *lock(&self.0.stage) = QueueStage::Queued;
    }

    /// The wait is over: the attempt's latency counts from here. Refused where the breaker has opened meanwhile.
    pub(crate) fn goes_on(&self, now: Instant) -> Result<(), Duration> {
        self.0.admits.still_admits(now)?;
        *lock(&self.0.stage) = QueueStage::Left(now);
        Ok(())
    }

    /// What the transport reports of the attempt's connection.
    pub(crate) fn connection(&self) -> &Connection {
        &self.0.connection
    }

    pub(crate) fn stage(&self) -> QueueStage {
        *lock(&self.0.stage)
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Admission({:?})", self.stage())
    }
}

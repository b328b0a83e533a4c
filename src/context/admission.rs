//! The handle by which lower layers report to the breaker that admitted an attempt.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use super::Connection;
use crate::sync::lock_std as lock;

/// An attempt that a breaker has let through. A handle: a queue below reports that the attempt waits, so that the wait does not
/// count as latency; the transport reports that a connection failed, so that this does not count as the provider's failure. The
/// breaker puts it into the attempt's request.
#[derive(Clone)]
pub(crate) struct Admission(Arc<Inner<dyn Admits>>);

struct Inner<A: ?Sized> {
    stage: Mutex<QueueStage>,
    connection: Connection,
    admits: A,
}

/// The queueing stage of an admitted attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueueStage {
    /// It did not have to wait.
    NotQueued,
    /// It is waiting.
    Queued,
    /// It left the queue at that time.
    Left(Instant),
}

/// The breaker, asked again after a wait.
pub(crate) trait Admits: Send + Sync {
    /// Whether the attempt is still let through; if not, the time until a call may be.
    fn still_admits(&self, now: Instant) -> Result<(), Duration>;
}

// === impl Admission ===

impl Admission {
    pub(crate) fn new(admits: impl Admits + 'static) -> Self {
        let (stage, connection) = (Mutex::new(QueueStage::NotQueued), Connection::default());
        Self(Arc::new(Inner { stage, connection, admits }))
    }

    /// Records that the attempt waits in a queue.
    pub(crate) fn waits(&self) {
        *lock(&self.0.stage) = QueueStage::Queued;
    }

    /// Records the end of the wait: the attempt's latency counts from `now`. Fails if the breaker has opened in the meantime.
    pub(crate) fn goes_on(&self, now: Instant) -> Result<(), Duration> {
        self.0.admits.still_admits(now)?;
        *lock(&self.0.stage) = QueueStage::Left(now);
        Ok(())
    }

    /// Whether the attempt waits.
    pub(crate) fn is_waiting(&self) -> bool {
        self.stage() == QueueStage::Queued
    }

    /// What the transport reports about the attempt's connection.
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

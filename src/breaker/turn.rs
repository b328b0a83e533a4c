//! How a queue below a breaker says that a call waits, so that the wait is not taken for latency; and how a transport
//! says that a connection failed, so that this is not taken for the provider's failure.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    breaker::{Breaker, ticket::Caller},
    context::Connection,
    sync::lock_std as lock,
};

/// What a queue below says of a call. A handle.
#[derive(Clone)]
pub(crate) struct Turn(Arc<Inner>);

struct Inner {
    breaker: Breaker,
    caller: Caller,
    at: Mutex<Stage>,
    connection: Connection,
}

/// Where a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It did not have to wait.
    NotQueued,
    /// It waits.
    Queued,
    /// It waited until then.
    Left(Instant),
}

// === impl Turn ===

impl Turn {
    pub(super) fn of(breaker: &Breaker, caller: Caller) -> Self {
        Self(Arc::new(Inner {
            breaker: breaker.clone(),
            caller,
            at: Mutex::new(Stage::NotQueued),
            connection: Connection::default(),
        }))
    }

    /// The call waits.
    pub(crate) fn waits(&self) {
        *lock(&self.0.at) = Stage::Queued;
    }

    /// It is its turn: its latency counts from here. Refused where the breaker has opened meanwhile.
    pub(crate) fn goes_on(&self, now: Instant) -> Result<(), Duration> {
        self.0.breaker.still_lets(now, self.0.caller)?;
        *lock(&self.0.at) = Stage::Left(now);
        Ok(())
    }

    /// What the transport reports of the attempt's connection.
    pub(crate) fn connection(&self) -> &Connection {
        &self.0.connection
    }

    pub(super) fn at(&self) -> Stage {
        *lock(&self.0.at)
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Turn({:?})", self.at())
    }
}

//! What the operator watches.

use std::{fmt, net::SocketAddr};

use crate::{reload::Current, server::Lifecycle};

/// What the operator watches.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) current: Current,
    pub(crate) lifecycle: Lifecycle,
    /// The address of the listener of the calls.
    pub(crate) listen: SocketAddr,
    pub(crate) connections: OpenConnections,
}

/// The open connections of callers.
pub(crate) struct OpenConnections {
    max: usize,
    count: Box<dyn Fn() -> usize + Send + Sync>,
}

// === impl OpenConnections ===

impl OpenConnections {
    /// At most `max` connections; `count` returns how many are open.
    pub(crate) fn new(max: usize, count: impl Fn() -> usize + Send + Sync + 'static) -> Self {
        Self { max, count: Box::new(count) }
    }

    pub(super) fn max(&self) -> usize {
        self.max
    }

    pub(super) fn count(&self) -> usize {
        (self.count)()
    }
}

impl fmt::Debug for OpenConnections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenConnections({} of {})", self.count(), self.max)
    }
}

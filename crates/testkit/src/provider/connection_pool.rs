//! Connections in process: idle after an answer, dead after their node was replaced.

use std::{
    io,
    net::Ipv6Addr,
    sync::{Arc, Mutex},
    time::Duration,
};

use evenkeel::{
    BoxError, Error, Request, Response,
    outcome::Outcome,
    stream::BodyEnd,
    upstream::{ConnectionError, LocalAddress},
};
use tokio::time::Instant;
use tower::Service;

use super::reply_source::OpenedConnection;
use crate::{Provider, sync::lock};

/// A connection in process. Its [`LocalAddress`] is in the extensions of each answer, as hyper's `HttpInfo` is for a socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct VirtualConnection {
    address: LocalAddress,
    /// The node of the connection: how often the provider's node had been replaced.
    node: usize,
}

/// The idle connections of a client to one provider. The last idle connection is the first to be used.
#[derive(Clone, Debug, Default)]
pub(super) struct ConnectionPool(Arc<Mutex<Vec<IdleConnection>>>);

/// A connection that waits for the next request.
#[derive(Debug)]
struct IdleConnection {
    connection: VirtualConnection,
    since: Instant,
}

// === impl VirtualConnection ===

impl VirtualConnection {
    /// A new connection to the node of the provider that answers now.
    fn open(to: &Provider) -> Self {
        let OpenedConnection { number, node } = to.count_connection();
        let address = (Ipv6Addr::from(u128::from(number)), 0).into();
        Self { address: LocalAddress(address), node }
    }

    fn error(self, source: impl Into<BoxError>) -> Error {
        Error::new(Outcome::ConnectionLost).with_source(ConnectionError::new(self.address, source))
    }
}

// === impl ConnectionPool ===

impl ConnectionPool {
    /// The number of idle connections. Those beyond it are closed.
    const MAX: usize = 256;
    /// How long a connection stays idle: as long as in evenkeel's own client.
    const IDLE_TIMEOUT: Duration = Duration::from_secs(50);

    /// Sends a request on the last idle connection, or on a new one.
    pub(super) async fn send(self, mut to: Provider, request: Request) -> Result<Response, Error> {
        let connection = self.take(Instant::now()).unwrap_or_else(|| VirtualConnection::open(&to));
        if connection.node != to.node() {
            return Err(connection.error(io::Error::from(io::ErrorKind::ConnectionReset)));
        }
        let answered = to.call(request).await.map_err(|error| match error.outcome() {
            Outcome::ConnectionLost => connection.error(error),
            _ => error,
        });
        let mut response = answered?;
        response.extensions_mut().insert(connection.address);
        response.body_mut().on_end(move |ending| {
            // A node that was replaced in the meantime has closed the connection.
            if *ending == BodyEnd::Done && connection.node == to.node() {
                self.keep(connection, Instant::now());
            }
        });
        Ok(response)
    }

    fn take(&self, now: Instant) -> Option<VirtualConnection> {
        let mut idle = lock(&self.0);
        let last = idle.pop()?;
        if now.saturating_duration_since(last.since) < Self::IDLE_TIMEOUT {
            return Some(last.connection);
        }
        // The connections before it are idle for longer.
        idle.clear();
        None
    }

    fn keep(&self, connection: VirtualConnection, now: Instant) {
        let mut idle = lock(&self.0);
        if idle.len() < Self::MAX {
            idle.push(IdleConnection { connection, since: now });
        }
    }
}

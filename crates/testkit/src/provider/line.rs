//! Connections in process: kept when an answer has ended, dead when the node that they lead to was replaced.

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

use crate::{Provider, sync::lock};

/// A connection in process. Its [`LocalAddress`] is in the extensions of each answer, where hyper has the address of a socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    address: LocalAddress,
    /// The node that it leads to: how often the provider's was replaced before.
    node: usize,
}

/// The connections that a client keeps to one provider. The last that was kept is the first that is used.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines(Arc<Mutex<Vec<Idle>>>);

/// A connection that is kept.
#[derive(Debug)]
struct Idle {
    line: Line,
    since: Instant,
}

// === impl Line ===

impl Line {
    /// The connection of that number, to that node.
    pub(super) fn new(number: u64, node: usize) -> Self {
        let address = (Ipv6Addr::from(u128::from(number)), 0).into();
        Self { address: LocalAddress(address), node }
    }

    fn broke(self, source: impl Into<BoxError>) -> Error {
        Error::new(Outcome::ConnectionLost).with_source(ConnectionError::new(self.address, source))
    }
}

// === impl Lines ===

impl Lines {
    /// As many are kept; the connection of an answer beyond that is closed.
    const MAX: usize = 256;
    /// How long one is kept: as long as evenkeel's own client keeps them.
    const IDLE: Duration = Duration::from_secs(50);

    /// Sends a request on the connection that was kept last, or on a new one.
    pub(super) async fn send(self, mut to: Provider, request: Request) -> Result<Response, Error> {
        let line = self.take(Instant::now()).unwrap_or_else(|| to.dial());
        if line.node != to.node() {
            return Err(line.broke(io::Error::from(io::ErrorKind::ConnectionReset)));
        }
        let answered = to.call(request).await.map_err(|error| match error.outcome() {
            Outcome::ConnectionLost => line.broke(error),
            _ => error,
        });
        let mut response = answered?;
        response.extensions_mut().insert(line.address);
        response.body_mut().on_end(move |ending| {
            // A node that was replaced meanwhile has closed the connection after the answer.
            if *ending == BodyEnd::Done && line.node == to.node() {
                self.keep(line, Instant::now());
            }
        });
        Ok(response)
    }

    fn take(&self, now: Instant) -> Option<Line> {
        let mut idle = lock(&self.0);
        let last = idle.pop()?;
        if now.saturating_duration_since(last.since) < Self::IDLE {
            return Some(last.line);
        }
        // Those before it are idle for longer.
        idle.clear();
        None
    }

    fn keep(&self, line: Line, now: Instant) {
        let mut idle = lock(&self.0);
        if idle.len() < Self::MAX {
            idle.push(Idle { line, since: now });
        }
    }
}

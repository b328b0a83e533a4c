//! Connections in process: kept when an answer has ended, dead when the node that they lead to was replaced.

use std::{
    error::Error as StdError,
    fmt, io,
    net::{Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;
use tower::Service;

use crate::{
    BoxError, Error, Request, Response, outcome::Outcome, stream::BodyEnd, sync::lock_std as lock,
    testkit::Provider,
};

/// A connection in process, by the address at the client's end: in the extensions of each answer, where hyper has the
/// address of a socket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    address: SocketAddr,
    /// The node that it leads to: how often the provider's was replaced before.
    node: usize,
}

/// What went wrong with a request on a connection in process, where hyper tells the same of a socket.
#[derive(Debug)]
pub(crate) struct LineBroke {
    line: Line,
    source: BoxError,
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
        Self { address: (Ipv6Addr::from(u128::from(number)), 0).into(), node }
    }

    /// Our end of it.
    #[cfg(feature = "reqwest")]
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    fn broke(self, source: impl Into<BoxError>) -> Error {
        Error::new(Outcome::ConnectionLost)
            .with_source(LineBroke { line: self, source: source.into() })
    }
}

// === impl LineBroke ===

#[cfg(feature = "reqwest")]
impl LineBroke {
    /// Our end of the connection.
    pub(crate) fn address(&self) -> SocketAddr {
        self.line.address
    }
}

impl fmt::Display for LineBroke {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the connection of {} broke", self.line.address)
    }
}

impl StdError for LineBroke {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
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
        response.extensions_mut().insert(line);
        let body = response.body_mut();
        // Bytes that are known in full have ended once they are read.
        body.guarded();
        body.on_end(move |ending| {
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

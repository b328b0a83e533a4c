//! How a transport that is not based on hyper reports the connection of an attempt.

use std::{error::Error as StdError, fmt, net::SocketAddr};

use crate::BoxError;

/// The local address of the connection that an answer came on.
///
/// A transport that keeps connections sets it in the extensions of each response; hyper sets its own
/// `HttpInfo` instead, so that a transport over hyper sets nothing. Two open connections of one transport have different
/// addresses.
///
/// `evenkeel::adapter::Reconnect` reads it: a request that fails on a connection that had carried an answer is sent again.
/// The address of a connection that failed is in a [`ConnectionError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LocalAddress(pub SocketAddr);

/// The failure of a connection, with its local address.
///
/// A transport that sets [`LocalAddress`] puts it into the source chain of the [`Error`](crate::Error) of an attempt whose
/// connection failed; hyper's own error takes its place in a transport over hyper.
///
/// ```
/// use evenkeel::{Error, outcome::Outcome, upstream::{ConnectionError, LocalAddress}};
/// use std::io;
///
/// let local = LocalAddress(([127, 0, 0, 1], 50_000).into());
/// let reset = io::Error::from(io::ErrorKind::ConnectionReset);
/// let error = Error::new(Outcome::ConnectionLost).with_source(ConnectionError::new(local, reset));
/// # let _ = error;
/// ```
#[derive(Debug)]
pub struct ConnectionError {
    local: LocalAddress,
    source: BoxError,
}

// === impl ConnectionError ===

impl ConnectionError {
    /// The connection from `local` failed because of `source`.
    pub fn new(local: LocalAddress, source: impl Into<BoxError>) -> Self {
        Self { local, source: source.into() }
    }

    /// The local address of the connection.
    pub fn local_address(&self) -> LocalAddress {
        self.local
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the connection from {} failed", self.local.0)
    }
}

impl StdError for ConnectionError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}

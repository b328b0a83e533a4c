//! SIGHUP as a request to read the configuration again.

/// Requests to read the configuration again; none by default.
#[cfg(unix)]
#[derive(Debug, Default)]
pub(super) struct Hangup(Option<tokio::signal::unix::Signal>);

/// There are none.
#[cfg(not(unix))]
#[derive(Debug, Default)]
pub(super) struct Hangup;

// === impl Hangup ===

#[cfg(unix)]
impl Hangup {
    /// Listens from now on; the signal no longer ends the process.
    pub(super) fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let signal = signal(SignalKind::hangup());
        Self(signal.inspect_err(|error| tracing::warn!(%error, "SIGHUP has no effect")).ok())
    }

    /// The next request.
    pub(super) async fn next(&mut self) {
        let signal = match &mut self.0 {
            Some(signal) => signal.recv().await,
            None => None,
        };
        if signal.is_none() {
            std::future::pending().await
        }
    }
}

#[cfg(not(unix))]
impl Hangup {
    pub(super) fn new() -> Self {
        Self
    }

    pub(super) async fn next(&mut self) {
        std::future::pending().await
    }
}

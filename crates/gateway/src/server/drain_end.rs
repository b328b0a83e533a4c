//! The end of the drain: the moment at which answers in progress have no more time.

use tokio::sync::watch;

/// The end of the drain, as a value in the extensions of each request.
///
/// What still runs then has a moment to end in its own words: a stream with an error event of its dialect, for example.
/// The connection is closed afterwards.
#[derive(Clone, Debug)]
pub(crate) struct DrainEnd(watch::Receiver<bool>);

/// Declares the end of the drain. Dropping it declares nothing.
#[derive(Debug)]
pub(super) struct DrainEnder(watch::Sender<bool>);

// === impl DrainEnd ===

impl DrainEnd {
    /// Waits for the end of the drain. The future never completes if the server ends before.
    pub(crate) async fn reached(mut self) {
        if self.0.wait_for(|ended| *ended).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

// === impl DrainEnder ===

impl DrainEnder {
    pub(super) fn new() -> (Self, DrainEnd) {
        let (ender, end) = watch::channel(false);
        (Self(ender), DrainEnd(end))
    }

    /// Declares the end. Every [`DrainEnd`] is reached, those that are made later as well.
    pub(super) fn end(&self) {
        self.0.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_end_is_reached_once_it_is_declared_and_not_when_the_server_is_gone() {
        let (ender, end) = DrainEnder::new();
        let early = tokio::spawn(end.clone().reached());
        assert!(timeout(Duration::from_secs(60), end.clone().reached()).await.is_err());
        ender.end();
        early.await.unwrap();
        end.reached().await;

        let (gone, end) = DrainEnder::new();
        drop(gone);
        assert!(timeout(Duration::from_secs(60), end.reached()).await.is_err());
    }
}

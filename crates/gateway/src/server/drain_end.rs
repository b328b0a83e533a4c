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
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn the_end_is_reached_once_it_is_declared_and_not_when_the_server_is_gone() {
        let (ender, end) = DrainEnder::new();
        let mut early = Box::pin(end.clone().reached());
        assert_eq!((&mut early).now_or_never(), None);
        ender.end();
        assert_eq!(early.now_or_never(), Some(()));
        assert_eq!(end.reached().now_or_never(), Some(()));

        let (gone, end) = DrainEnder::new();
        drop(gone);
        assert_eq!(end.reached().now_or_never(), None);
    }
}

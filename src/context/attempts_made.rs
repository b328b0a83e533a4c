//! The attempts that a call has made so far, for its telemetry.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU32, Ordering},
};

use crate::route::{ProviderName, Route};

/// The attempts that a call has made so far. A handle: all requests of the call share it. It is written by the layer of the
/// attempts' spans and read by that of the call's span, and decides nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct AttemptsMade(Arc<Made>);

#[derive(Debug, Default)]
struct Made {
    /// The attempts that were sent, or are about to be.
    sent: AtomicU32,
    first: OnceLock<Destination>,
}

/// Where an attempt goes.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    pub(crate) route: Route,
    pub(crate) provider: ProviderName,
}

// === impl AttemptsMade ===

impl AttemptsMade {
    /// Records an attempt that is about to be sent. Returns the number of attempts before it.
    pub(crate) fn begin(&self, to: &Destination) -> u32 {
        self.0.first.get_or_init(|| to.clone());
        self.0.sent.fetch_add(1, Ordering::Relaxed)
    }

    /// Records that an attempt was not sent after all.
    pub(crate) fn was_not_sent(&self) {
        self.0.sent.fetch_sub(1, Ordering::Relaxed);
    }

    /// Where the first attempt went, or would have gone.
    pub(crate) fn first(&self) -> Option<&Destination> {
        self.0.first.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_that_was_not_sent_is_not_counted() {
        let made = AttemptsMade::default();
        let to = |provider: &str| Destination {
            route: Route::new(provider, "m", "-"),
            provider: ProviderName::of_host("api.openai.com").unwrap(),
        };
        assert_eq!(made.begin(&to("first")), 0);
        made.was_not_sent();
        assert_eq!((made.begin(&to("second")), made.begin(&to("third"))), (0, 1));
        assert_eq!(made.first().unwrap().route.provider(), "first");
    }
}

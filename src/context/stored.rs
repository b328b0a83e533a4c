//! What the cache leaves for the fallback below it.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use crate::Response;

/// Where a stored answer to the call may be. The cache puts it into the request, a fallback that gives stored answers reads it.
#[derive(Clone)]
pub(crate) struct StoredAnswer(Arc<dyn Lookup>);

/// A place in a store.
pub(crate) trait Lookup: Send + Sync {
    /// The answer there, if it is at most that old. `left` is the time for the look-up.
    fn look_up(&self, max_age: Duration, left: Option<Duration>) -> Found<'_>;
}

/// A look-up under way.
pub(crate) type Found<'a> = Pin<Box<dyn Future<Output = Option<Response>> + Send + 'a>>;

/// The call has no time left for any target: only what is answered here is of use. The cache puts it into the request of a
/// call that has waited for another's answer in vain, the fallback reads it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalAnswersOnly;

// === impl StoredAnswer ===

impl StoredAnswer {
    pub(crate) fn new(place: Arc<dyn Lookup>) -> Self {
        Self(place)
    }

    /// The answer, if it is at most that old.
    pub(crate) async fn find(&self, max_age: Duration, left: Option<Duration>) -> Option<Response> {
        self.0.look_up(max_age, left).await
    }
}

impl fmt::Debug for StoredAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredAnswer")
    }
}

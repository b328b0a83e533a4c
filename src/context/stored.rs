//! Values that the cache leaves for the fallback below it.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use crate::{Response, attempt_log::Degradation};

/// The place of a stored answer to the call. The cache puts it into the request, the stored-answer fallback reads it.
#[derive(Clone)]
pub(crate) struct StoredAnswer(Arc<dyn Lookup>);

/// A place in a store.
pub(crate) trait Lookup: Send + Sync {
    /// The answer there, if it is at most `max_age` old, and whether it is stored or stale. `left` is the time that the call has left.
    fn look_up(&self, max_age: Duration, left: Option<Duration>) -> Found<'_>;
}

/// A stored answer, and whether it is stale.
pub(crate) type StoredResponse = (Response, Degradation);

/// A lookup under way.
pub(crate) type Found<'a> = Pin<Box<dyn Future<Output = Option<StoredResponse>> + Send + 'a>>;

/// The call has no time left for any target: only local answers are of use. The cache puts it into the request of a call that has
/// waited for a shared attempt in vain; the fallback reads it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalAnswersOnly;

// === impl StoredAnswer ===

impl StoredAnswer {
    pub(crate) fn new(place: Arc<dyn Lookup>) -> Self {
        Self(place)
    }

    /// The answer, if it is at most `max_age` old.
    pub(crate) async fn find(
        &self,
        max_age: Duration,
        left: Option<Duration>,
    ) -> Option<StoredResponse> {
        self.0.look_up(max_age, left).await
    }
}

impl fmt::Debug for StoredAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredAnswer")
    }
}

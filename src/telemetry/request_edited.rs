//! The event of a request that a layer below the fallbacks has changed.

use super::{EditSummary, EventKind, EventSink};
use crate::{Request, context::AttemptContext};

// === impl EditSummary ===

impl EditSummary {
    /// Emits that the request of an attempt was changed, with the fallback that makes the attempt.
    pub(crate) fn emit(self, request: &mut Request, events: &EventSink) {
        let attempt = AttemptContext::of(request);
        let fallback = attempt.fallback_index;
        let name = attempt.fallback_name.clone().unwrap_or_else(|| "primary".into());
        events.emit(EventKind::RequestEdited { fallback, name, edited: self });
    }
}

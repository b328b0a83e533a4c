//! The token usage of an answer, and its other facts.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use super::{AnswerInfo, Usage};

/// The token usage of an answer and its other facts, in the extensions of every response that was parsed in its dialect.
///
/// A handle: for a stream it is set once the body has ended, before the end is reported.
#[derive(Clone, Default)]
pub struct UsageHandle(Arc<OnceLock<AnswerInfo>>);

// === impl UsageHandle ===

impl UsageHandle {
    /// The tokens; `None` while the stream goes on, and if the provider reported none.
    pub fn get(&self) -> Option<Usage> {
        self.0.get()?.usage
    }

    /// The id, the model, the finish reasons and the tokens of the answer; `None` while the stream goes on.
    pub fn answer(&self) -> Option<&AnswerInfo> {
        self.0.get()
    }

    /// Sets the facts; only the first call counts.
    pub(crate) fn settle(&self, answer: AnswerInfo) {
        let _first_stays = self.0.set(answer);
    }
}

impl fmt::Debug for UsageHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Usage({:?})", self.get())
    }
}

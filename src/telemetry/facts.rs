//! The facts of an answer that no dialect has.

use std::sync::Arc;

use crate::dialect::AnswerInfo;

/// The facts of an answer that no dialect has, such as that of an embeddings request, in the extensions of its response: for the
/// span of the call. Limits do not use them, since their estimates are those of chats.
#[derive(Clone, Debug)]
pub(crate) struct PlainFacts(Arc<AnswerInfo>);

// === impl PlainFacts ===

impl PlainFacts {
    pub(crate) fn new(facts: AnswerInfo) -> Self {
        Self(Arc::new(facts))
    }

    pub(super) fn get(&self) -> &AnswerInfo {
        &self.0
    }
}

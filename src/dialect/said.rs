//! What an answer that is made here says.

use super::{RequestInfo, Tokens, reply};

/// What an answer that is made here says: a text, and what is told of it where it is known.
#[derive(Clone, Copy)]
pub(crate) struct Said<'a> {
    pub(crate) text: &'a str,
    /// The model that said it; else the one that is asked.
    pub(crate) model: Option<&'a str>,
    /// What it cost.
    pub(crate) tokens: Tokens,
}

// === impl Said ===

impl Said<'_> {
    /// The model, as JSON.
    pub(super) fn model(&self, ask: &RequestInfo) -> String {
        self.model.map_or_else(|| reply::model(ask), reply::json)
    }

    /// The tokens of the request, of the answer, and of both.
    pub(super) fn counts(&self) -> (u64, u64, u64) {
        let Tokens { input, output, .. } = self.tokens;
        (input, output, input.saturating_add(output))
    }
}

impl<'a> From<&'a str> for Said<'a> {
    /// A text of ours: it cost no token.
    fn from(text: &'a str) -> Self {
        Self { text, model: None, tokens: Tokens::default() }
    }
}

//! The content of a reply that is rendered here.

use std::fmt;

use crate::{RequestInfo, Usage, reply};

/// A reply that is rendered here, not by a provider: a text, with the model and the usage if known.
#[derive(Clone, Copy)]
pub struct SyntheticReply<'a> {
    /// The text.
    pub text: &'a str,
    /// The model of the answer; the requested model if `None`.
    pub model: Option<&'a str>,
    /// The usage.
    pub tokens: Usage,
}

// === impl SyntheticReply ===

impl SyntheticReply<'_> {
    /// The model, as JSON.
    pub(super) fn model(&self, info: &RequestInfo) -> String {
        self.model.map_or_else(|| reply::model(info), reply::json)
    }

    /// The tokens of the request, of the answer, and of both.
    pub(super) fn counts(&self) -> (u64, u64, u64) {
        let Usage { input, output, .. } = self.tokens;
        (input, output, input.saturating_add(output))
    }
}

impl<'a> From<&'a str> for SyntheticReply<'a> {
    /// A canned text: its usage is zero.
    fn from(text: &'a str) -> Self {
        Self { text, model: None, tokens: Usage::default() }
    }
}

impl fmt::Debug for SyntheticReply<'_> {
    /// Omits the text, which may be an answer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, model, tokens } = self;
        f.debug_struct("SyntheticReply")
            .field("text", &format_args!("{} bytes", text.len()))
            .field("model", model)
            .field("tokens", tokens)
            .finish()
    }
}

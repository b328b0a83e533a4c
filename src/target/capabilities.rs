//! The capabilities of a fallback.

use crate::{
    Request,
    context::CallContext,
    dialect::{Prefill, RequestEditor},
};

/// What a fallback supports; a call that needs more skips it.
///
/// # Defaults
///
/// * context: not declared, so any
/// * tools, images, answers in JSON: yes
/// * prefill: not declared, so never tried
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    context: Option<u64>,
    tools: bool,
    vision: bool,
    json: bool,
    pub(crate) prefill: Option<Prefill>,
}

// === impl Capabilities ===

impl Capabilities {
    /// The size of the model's context, in tokens.
    #[must_use]
    pub fn context(mut self, tokens: u64) -> Self {
        self.context = Some(tokens);
        self
    }

    /// Whether it supports tools.
    #[must_use]
    pub fn tools(mut self, tools: bool) -> Self {
        self.tools = tools;
        self
    }

    /// Whether it supports images.
    #[must_use]
    pub fn vision(mut self, vision: bool) -> Self {
        self.vision = vision;
        self
    }

    /// Whether it answers in JSON on request, in any of the ways its dialect has.
    #[must_use]
    pub fn json(mut self, json: bool) -> Self {
        self.json = json;
        self
    }

    /// Declares that it continues an answer whose beginning is in the request, and in which form it expects that. Declare it only
    /// for models that do: many reject such a request, and some start over. See
    /// [`MidStreamFailure::Continue`](crate::stream::MidStreamFailure::Continue).
    #[must_use]
    pub fn prefill(mut self, form: impl Into<Option<Prefill>>) -> Self {
        self.prefill = form.into();
        self
    }

    /// Whether a request needs more than this.
    pub(crate) fn lack(&self, request: &mut Request) -> bool {
        if *self == Self::default() {
            return false;
        }
        let info = CallContext::info(request);
        let pictures = info.images() && !self.vision;
        let draft = RequestEditor::open(&info, request.body());
        let Some(needs) = draft.map(|draft| draft.requirements()) else { return pictures };
        let tools = needs.tools && !self.tools;
        let large = self.context.is_some_and(|context| needs.tokens > context);
        pictures || tools || large || (needs.json && !self.json)
    }

    /// Whether a request too large for `other` may fit here: a larger context, or none declared.
    pub(crate) fn larger_than(&self, other: &Self) -> bool {
        match (self.context, other.context) {
            (Some(here), Some(there)) => here > there,
            _ => true,
        }
    }
}

impl Default for Capabilities {
    fn default() -> Self {
        Self { context: None, tools: true, vision: true, json: true, prefill: None }
    }
}

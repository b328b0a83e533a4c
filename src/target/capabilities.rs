//! The capabilities of a fallback.

use std::fmt;

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

/// What a call needs and a fallback does not offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shortfall {
    /// The context, in tokens: [`Capabilities::context`], or [`Edit::fit_context`](super::Edit::fit_context) after all turns that
    /// may go are gone.
    #[non_exhaustive]
    Context {
        /// The context that the request and its answer need, estimated.
        needed: u64,
        /// The context that there is.
        offered: u64,
    },
    /// Tools.
    Tools,
    /// Images in the request.
    Vision,
    /// An answer in JSON.
    Json,
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

    /// What a request needs beyond this.
    pub(crate) fn shortfalls(&self, request: &mut Request) -> Vec<Shortfall> {
        let mut short = Vec::new();
        if *self == Self::default() {
            return short;
        }
        let info = CallContext::info(request);
        if info.images() && !self.vision {
            short.push(Shortfall::Vision);
        }
        let draft = RequestEditor::open(&info, request.body());
        let Some(needs) = draft.map(|draft| draft.requirements()) else { return short };
        if needs.tools && !self.tools {
            short.push(Shortfall::Tools);
        }
        if let Some(offered) = self.context.filter(|context| needs.tokens > *context) {
            short.push(Shortfall::Context { needed: needs.tokens, offered });
        }
        if needs.json && !self.json {
            short.push(Shortfall::Json);
        }
        short
    }

    /// Whether a request too large for `other` may fit here: a larger context, or none declared.
    pub(crate) fn larger_than(&self, other: &Self) -> bool {
        match (self.context, other.context) {
            (Some(here), Some(there)) => here > there,
            _ => true,
        }
    }
}

// === impl Shortfall ===

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Context { needed, offered } => {
                write!(f, "a context of {needed} tokens, {offered} are offered")
            }
            Self::Tools => f.write_str("tools"),
            Self::Vision => f.write_str("images"),
            Self::Json => f.write_str("an answer in JSON"),
        }
    }
}

impl Default for Capabilities {
    fn default() -> Self {
        Self { context: None, tools: true, vision: true, json: true, prefill: None }
    }
}

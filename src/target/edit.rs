//! Edits of a request for a fallback.

mod body;
mod check;
mod fields;

use std::fmt;

use crate::{
    Request,
    context::CallContext,
    dialect::{FieldChange, RequestEditor, RequestInfo, ToolFilter, change_fields},
    telemetry::EditSummary,
};

use self::body::unstream;
pub(crate) use self::body::{edit_body, measured};

/// The changes that a fallback makes to a request, to ask for less: a shorter answer, no tools, fewer turns, no images, no
/// stream.
///
/// Plain data, validated when the layer is built. The edit is applied after the fallback's target, in the dialect of the request;
/// fields that it does not name keep their bytes. A request without a known dialect is not edited.
///
/// # Defaults
///
/// * nothing is changed
/// * no notice about dropped tools
/// * placeholder of an image: `[image]`
///
/// # Example
///
/// ```
/// use evenkeel::fallback::{Edit, Fallback, Target};
///
/// let small = Fallback::target(Target::same_host().model("small")).edit(
///     Edit::new()
///         .max_tokens(512)
///         .without_tools()
///         .tool_notice("You cannot search the web right now. Say so where it matters.")
///         .fit_context(16_000),
/// );
/// # let _ = small;
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Edit {
    max_tokens: Option<u64>,
    tools: ToolFilter,
    tool_notice: Option<Box<str>>,
    context: Option<u64>,
    images: bool,
    image_placeholder: Option<Box<str>>,
    unstreamed: bool,
    reasoning: bool,
    fields: Vec<FieldChange>,
}

// === impl Edit ===

impl Edit {
    /// Creates an edit that changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits the answer to `tokens`, at least 16. Lowers the caller's limit, never raises it; a budget for thinking is lowered
    /// with it, and removed if the least possible budget does not fit.
    ///
    /// In OpenAI chat the limit is set under the name that the caller used. Without one it is `max_tokens`, which all compatible
    /// servers accept, except for OpenAI's reasoning models, which accept only `max_completion_tokens`.
    #[must_use]
    pub fn max_tokens(mut self, tokens: u64) -> Self {
        self.max_tokens = Some(tokens);
        self
    }

    /// Drops all tools, and from earlier turns the tool calls with their results.
    #[must_use]
    pub fn without_tools(mut self) -> Self {
        self.tools = ToolFilter::All;
        self
    }

    /// Drops the tool of that name: a function, or a type of the provider such as `web_search`, in any of its versions and under
    /// its name in each dialect. May be called several times.
    #[must_use]
    pub fn without_tool(mut self, name: &str) -> Self {
        match &mut self.tools {
            ToolFilter::All => {}
            ToolFilter::Named(names) => names.push(name.into()),
            ToolFilter::None => self.tools = ToolFilter::Named(vec![name.into()]),
        }
        self
    }

    /// Adds a notice to the model that tools are unavailable, after the caller's own system message; only if a tool was dropped.
    #[must_use]
    pub fn tool_notice(mut self, line: &str) -> Self {
        self.tool_notice = Some(line.into());
        self
    }

    /// Drops the oldest turns until the request and its answer fit a context of `context` tokens, at least 256.
    ///
    /// Tokens are estimated: one for each four bytes of the request, a thousand for an image. Only the provider can count them,
    /// so leave room. System messages and the last question stay, and no tool call is separated from its results. If the call
    /// still does not fit, the fallback is skipped.
    #[must_use]
    pub fn fit_context(mut self, context: u64) -> Self {
        self.context = Some(context);
        self
    }

    /// Replaces each image with a placeholder.
    #[must_use]
    pub fn without_images(mut self) -> Self {
        self.images = true;
        self
    }

    /// Sets the placeholder of an image. `[image]` by default.
    #[must_use]
    pub fn image_placeholder(mut self, word: &str) -> Self {
        self.image_placeholder = Some(word.into());
        self
    }

    /// Requests the answer in one piece. The caller still gets the stream it asked for, all at once when the answer is there.
    #[must_use]
    pub fn unstreamed(mut self) -> Self {
        self.unstreamed = true;
        self
    }

    /// Removes the reasoning from the turns of the conversation, whoever made it. By default only that of other providers is
    /// removed: see [`reasoning`](crate::reasoning).
    #[must_use]
    pub fn without_reasoning(mut self) -> Self {
        self.reasoning = true;
        self
    }

    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn fits_any(&self) -> bool {
        self.context.is_some()
    }

    /// The suffix of the route for this edit, since a provider may fail edited requests and serve the others, or the reverse. The
    /// length of the answer and the number of turns do not count.
    pub(crate) fn variant(&self) -> Option<String> {
        let mut facet = match &self.tools {
            ToolFilter::None => String::new(),
            ToolFilter::All => ":no-tools".into(),
            ToolFilter::Named(names) => names.iter().map(|name| format!(":no-{name}")).collect(),
        };
        for (is, word) in [(self.images, ":no-images"), (self.unstreamed, ":no-stream")] {
            facet.push_str(if is { word } else { "" });
        }
        (!facet.is_empty()).then_some(facet)
    }

    /// Edits a request and returns a summary. `None` if the request does not fit the context.
    pub(crate) fn apply(&self, request: &mut Request, info: &RequestInfo) -> Option<EditSummary> {
        let mut edited = EditSummary::default();
        let Some(dialect) = info.dialect().filter(|_| !self.is_none()) else { return Some(edited) };
        let body = request.body().clone();
        if let Some(mut draft) = RequestEditor::open(info, &body) {
            self.draft(&mut draft, &mut edited)?;
            if let Some(changed) = draft.close() {
                edited.changed = true;
                *request.body_mut() = changed;
            }
        }
        if let Some(changed) = change_fields(request.body(), &self.fields) {
            edited.changed = true;
            edited.fields = changed.fields;
            edited.fields.truncate(EditSummary::MOST);
            *request.body_mut() = changed.body;
        }
        if self.unstreamed && info.stream() {
            edited.unstreamed = true;
            unstream(request, dialect);
        }
        if edited.changed || edited.unstreamed {
            edited.changed = true;
            measured(request);
            // The layers below read the edited request.
            let asked = RequestInfo::read(request);
            CallContext::set_info(request, asked);
        }
        Some(edited)
    }

    fn draft(&self, draft: &mut RequestEditor<'_>, edited: &mut EditSummary) -> Option<()> {
        edited.tools = draft
            .drop_tools(&self.tools)
            .iter()
            .take(EditSummary::MOST)
            .map(|name| short(name))
            .collect();
        if let Some(line) = self.tool_notice.as_deref().filter(|_| !edited.tools.is_empty()) {
            draft.add_instruction(line);
        }
        if self.images {
            edited.images =
                draft.drop_images(self.image_placeholder.as_deref().unwrap_or("[image]"));
        }
        if self.reasoning {
            edited.reasoning = draft.drop_reasoning(&|_| true);
        }
        if let Some(most) = self.max_tokens {
            edited.capped = draft.cap_max_tokens(most);
        }
        if let Some(context) = self.context {
            edited.turns = draft.truncate_history(context).ok()?;
        }
        if self.unstreamed {
            draft.unstream();
        }
        Some(())
    }
}

/// A name, cut to 64 characters for the summary.
fn short(name: &str) -> Box<str> {
    name.chars().take(64).collect::<String>().into()
}

impl fmt::Debug for Edit {
    /// The texts are for the model and stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edit")
            .field("max_tokens", &self.max_tokens)
            .field("tools", &self.tools)
            .field("tool_notice", &self.tool_notice.is_some())
            .field("context", &self.context)
            .field("images", &self.images)
            .field("unstreamed", &self.unstreamed)
            .field("reasoning", &self.reasoning)
            .field("fields", &self.fields.iter().map(FieldChange::field).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

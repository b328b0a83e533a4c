//! What is asked less of, on a fallback.

mod check;

use std::fmt;

use http::{
    HeaderValue,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_LENGTH},
};

use crate::{
    Request,
    context::CallContext,
    dialect::{Dialect, RequestEditor, RequestInfo, ToolFilter, unstream_path},
    telemetry::EditSummary,
};

/// What a fallback changes in a request so that less is asked: a shorter answer, no tools, fewer turns, no images, no stream.
///
/// Plain data, checked when the ladder is built. It is applied after the fallback's target, in the dialect of the request;
/// what it does not name keeps its bytes. A request in no known dialect stays as it is.
///
/// # Defaults
///
/// * nothing is changed
/// * no line about tools that are gone
/// * the word in the place of an image: `[image]`
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
}

// === impl Edit ===

impl Edit {
    /// Changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// At most so many tokens of answer, at least 16. Lowers what the caller allows, never raises it; a budget for thinking
    /// is lowered with it, and left out where the least one does not fit.
    ///
    /// In OpenAI chat it goes under the name that the caller used; where there is none, under `max_tokens`, which all
    /// compatible servers take, but for OpenAI's reasoning models, which take `max_completion_tokens` alone.
    #[must_use]
    pub fn max_tokens(mut self, tokens: u64) -> Self {
        self.max_tokens = Some(tokens);
        self
    }

    /// Without any tool. What tools were asked and said in earlier turns goes too, each call with its results.
    #[must_use]
    pub fn without_tools(mut self) -> Self {
        self.tools = ToolFilter::All;
        self
    }

    /// Without the tool of that name: a function's, or a type of the provider's own such as `web_search`, in any of its
    /// versions and under its name in each dialect. Call it again for another.
    #[must_use]
    pub fn without_tool(mut self, name: &str) -> Self {
        match &mut self.tools {
            ToolFilter::All => {}
            ToolFilter::Named(names) => names.push(name.into()),
            ToolFilter::None => self.tools = ToolFilter::Named(vec![name.into()]),
        }
        self
    }

    /// A line to the model that tools are gone, behind the caller's own system message; only where one was dropped.
    #[must_use]
    pub fn tool_notice(mut self, line: &str) -> Self {
        self.tool_notice = Some(line.into());
        self
    }

    /// Drops the oldest turns until the request and its answer fit a context of so many tokens, at least 256.
    ///
    /// A token is taken for four bytes of the request, an image for a thousand tokens: only the provider can count them, so
    /// leave room. System messages and the last question stay, and no call is parted from its results. A call that does
    /// not fit even so passes the fallback by.
    #[must_use]
    pub fn fit_context(mut self, context: u64) -> Self {
        self.context = Some(context);
        self
    }

    /// Without images; a word stays in the place of each.
    #[must_use]
    pub fn without_images(mut self) -> Self {
        self.images = true;
        self
    }

    /// The word in the place of an image.
    #[must_use]
    pub fn image_placeholder(mut self, word: &str) -> Self {
        self.image_placeholder = Some(word.into());
        self
    }

    /// Asks for the answer in one piece. The caller has the stream it asked for all the same, at once when the answer is
    /// there.
    #[must_use]
    pub fn unstreamed(mut self) -> Self {
        self.unstreamed = true;
        self
    }

    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn fits_any(&self) -> bool {
        self.context.is_some()
    }

    /// What makes its requests others than those of the same model without it, for the route: a provider may fail the ones
    /// and serve the others. How long an answer may be, and how many turns come, is no such thing.
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

    /// Changes a request; tells what was changed. `None` where it does not fit the context.
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
        if self.unstreamed && info.stream() {
            edited.unstreamed = true;
            unstream(request, dialect);
        }
        if edited.changed || edited.unstreamed {
            edited.changed = true;
            measured(request);
            // What is read of it below is what is asked now.
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

/// A name as it may be told.
fn short(name: &str) -> Box<str> {
    name.chars().take(64).collect::<String>().into()
}

/// Asks for one piece of JSON, in a content coding that can be read here: none.
fn unstream(request: &mut Request, dialect: Dialect) {
    if dialect == Dialect::Gemini {
        unstream_path(request.uri_mut());
    }
    let headers = request.headers_mut();
    headers.remove(ACCEPT_ENCODING);
    if headers.contains_key(ACCEPT) {
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    }
}

/// The length of the body has changed.
fn measured(request: &mut Request) {
    if request.headers().contains_key(CONTENT_LENGTH) {
        let length = HeaderValue::from(request.body().len());
        request.headers_mut().insert(CONTENT_LENGTH, length);
    }
}

impl fmt::Debug for Edit {
    /// The texts are for the model: they stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edit")
            .field("max_tokens", &self.max_tokens)
            .field("tools", &self.tools)
            .field("tool_notice", &self.tool_notice.is_some())
            .field("context", &self.context)
            .field("images", &self.images)
            .field("unstreamed", &self.unstreamed)
            .finish_non_exhaustive()
    }
}

//! Canned replies.

use std::{fmt, sync::Arc};

use super::CannedContext;
use crate::{
    Body, Request, Response,
    dialect::RequestInfo,
    outcome::{Outcome, Verdict},
    served_by::CannedReply,
};

/// A reply made locally: a fixed text, or a closure over the request. Rendered in the dialect of the request, as JSON or as a
/// stream, whichever was requested.
///
/// The reply is one text with a normal finish reason: one choice even if several were requested, and no tool call even if one was
/// forced. If the request wants JSON of a schema (`response_format`), the text has to be that JSON:
/// [`from_request`](Self::from_request) has access to the request.
#[derive(Clone)]
pub struct Canned {
    reply: Arc<Reply>,
    /// Whether the text is fixed and empty or whitespace only.
    blank: bool,
}

type Reply = dyn Fn(&CannedContext<'_>) -> String + Send + Sync;

// === impl Canned ===

impl Canned {
    /// Always replies with `text`.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        let blank = text.trim().is_empty();
        Self { blank, ..Self::from_context(move |_| text.clone()) }
    }

    /// Makes the text from the request. The closure must be quick and must not block.
    pub fn from_request(reply: impl Fn(&Request) -> String + Send + Sync + 'static) -> Self {
        Self::from_context(move |question| reply(question.request()))
    }

    /// Makes the text from the [`CannedContext`], for example in the language of the user. The closure must be quick and must not
    /// block.
    ///
    /// ```
    /// use evenkeel::fallback::{Canned, CannedContext};
    ///
    /// let sorry = Canned::from_context(|question: &CannedContext<'_>| {
    ///     let parcel = question.last_user_text().is_some_and(|text| text.contains("parcel"));
    ///     match (question.is_in("de"), parcel) {
    ///         (true, _) => "Wir melden uns heute noch bei Ihnen.".into(),
    ///         (false, true) => "Track your parcel at example.com/track.".into(),
    ///         (false, false) => "A colleague will write to you today.".into(),
    ///     }
    /// });
    /// # let _ = sorry;
    /// ```
    pub fn from_context(
        reply: impl Fn(&CannedContext<'_>) -> String + Send + Sync + 'static,
    ) -> Self {
        Self { reply: Arc::new(reply), blank: false }
    }

    pub(super) fn is_blank(&self) -> bool {
        self.blank
    }

    /// The text for a request.
    pub(super) fn text_for(&self, request: &Request, info: &RequestInfo) -> String {
        (self.reply)(&CannedContext::new(request, info))
    }

    /// The answer to a request; `None` if its dialect is not known.
    pub(crate) fn answer(&self, request: &Request, info: &RequestInfo) -> Option<Response> {
        let text = self.text_for(request, info);
        let mut response = info.dialect()?.render(text.as_str(), info).map(Body::from);
        CannedReply.mark(&mut response);
        response.extensions_mut().insert(Verdict::new(Outcome::Success));
        Some(response)
    }
}

impl fmt::Debug for Canned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Canned")
    }
}

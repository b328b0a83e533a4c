//! Replies that cannot fail.

use std::{fmt, sync::Arc};

use crate::{
    Request, Response,
    classify::{Outcome, Verdict},
    dialect::Ask,
};

/// A reply made here: a text, or a closure over the request. Rendered in the request's dialect, as JSON or as a stream,
/// whichever was asked.
#[derive(Clone)]
pub struct Canned(Arc<dyn Fn(&Request) -> String + Send + Sync>);

// === impl Canned ===

impl Canned {
    /// Always that text.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        Self(Arc::new(move |_| text.clone()))
    }

    /// A text made for the request: in its language, say. It must be quick and must not block.
    pub fn with(reply: impl Fn(&Request) -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(reply))
    }

    /// The answer to a request; `None` where its dialect is not known.
    pub(crate) fn answer(&self, request: &Request, ask: &Ask) -> Option<Response> {
        let mut response = ask.dialect()?.render(self.0(request).as_str(), ask);
        response.extensions_mut().insert(Verdict::new(Outcome::Success));
        Some(response)
    }
}

impl fmt::Debug for Canned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Canned")
    }
}

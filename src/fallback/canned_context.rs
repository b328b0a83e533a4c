//! What a canned reply may look at.

use std::fmt;

use http::header::ACCEPT_LANGUAGE;

use crate::{
    Request,
    dialect::{Dialect, RequestEditor, RequestInfo},
    route::shown,
};

/// A request as a canned reply sees it: what the user asked last, in which languages an answer is welcome, which model was
/// asked. Read only where the closure asks.
///
/// No language is detected: the closure has the text, and the header where the caller sends one.
pub struct CannedContext<'a> {
    request: &'a Request,
    info: &'a RequestInfo,
}

// === impl CannedContext ===

impl<'a> CannedContext<'a> {
    pub(super) fn new(request: &'a Request, info: &'a RequestInfo) -> Self {
        Self { request, info }
    }

    /// The last text of the user; `None` where there is none, as when the last turn is an image alone and no other has a
    /// text. It is the user's: it may hold anything, and belongs in no log.
    pub fn last_user_text(&self) -> Option<String> {
        RequestEditor::open(self.info, self.request.body())?.last_user_text()
    }

    /// The languages of the header `accept-language`, best first, in lower case: `de-ch`, `de`, `en`. None where the caller
    /// sends no such header; a back end has to send that of its customer.
    pub fn languages(&self) -> Vec<String> {
        let header =
            self.request.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let mut languages: Vec<(f32, String)> = Vec::new();
        for range in header.unwrap_or_default().split(',').take(MOST) {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight =
                parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
            if weight > 0.0 && !name.is_empty() && name != "*" {
                languages.push((weight, name));
            }
        }
        // Stable: of the same weight the first goes first.
        languages.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        languages.into_iter().map(|(_, name)| name).collect()
    }

    /// Whether the language is among the first that are welcome: `de` for `de-CH;q=0.9, en;q=0.8` too.
    pub fn is_in(&self, language: &str) -> bool {
        let first = self.languages().into_iter().next().unwrap_or_default();
        first.split('-').next().is_some_and(|first| first.eq_ignore_ascii_case(language))
    }

    /// The model that was asked.
    pub fn model(&self) -> Option<&str> {
        self.info.model()
    }

    /// Whether the request brings tools.
    pub fn tools(&self) -> bool {
        self.info.tools()
    }

    /// The wire language of the request.
    pub fn dialect(&self) -> Option<Dialect> {
        self.info.dialect()
    }

    /// The request itself: for what the caller has put into its extensions, say.
    pub fn request(&self) -> &Request {
        self.request
    }
}

/// How many languages of a header are read.
const MOST: usize = 32;

impl fmt::Debug for CannedContext<'_> {
    /// Without a word of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question").field("model", &self.model().map(shown)).finish_non_exhaustive()
    }
}

//! The view of a request that a canned reply is made from.

use std::fmt;

use http::header::ACCEPT_LANGUAGE;

use crate::{
    Request,
    dialect::{Dialect, RequestEditor, RequestInfo},
    route::shown,
};

/// The request that a canned reply answers: the last text of the user, the accepted languages, the requested model. Parsed only
/// when the closure calls the methods.
///
/// The language is not detected: use the text, and the header `accept-language` if the caller sends it.
pub struct CannedContext<'a> {
    request: &'a Request,
    info: &'a RequestInfo,
}

// === impl CannedContext ===

impl<'a> CannedContext<'a> {
    pub(super) fn new(request: &'a Request, info: &'a RequestInfo) -> Self {
        Self { request, info }
    }

    /// The last text of the user; `None` if there is none, for example if the last turn is only an image and no other turn has
    /// text. It is user input: it may contain anything, and should not be logged.
    pub fn last_user_text(&self) -> Option<String> {
        RequestEditor::open(self.info, self.request.body())?.last_user_text()
    }

    /// The languages of the header `accept-language`, best first, in lower case: `de-ch`, `de`, `en`. Empty if the caller does
    /// not send the header; a back end has to pass on the header of its customer.
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
        // The sort is stable: languages of the same weight keep their order.
        languages.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        languages.into_iter().map(|(_, name)| name).collect()
    }

    /// Whether the preferred language is `language`, whatever its region: `de` matches `de-CH;q=0.9, en;q=0.8`.
    pub fn is_in(&self, language: &str) -> bool {
        let first = self.languages().into_iter().next().unwrap_or_default();
        first.split('-').next().is_some_and(|first| first.eq_ignore_ascii_case(language))
    }

    /// The requested model.
    pub fn model(&self) -> Option<&str> {
        self.info.model()
    }

    /// Whether the request has tools.
    pub fn tools(&self) -> bool {
        self.info.tools()
    }

    /// The dialect of the request.
    pub fn dialect(&self) -> Option<Dialect> {
        self.info.dialect()
    }

    /// The request itself, for example for the extensions that the caller has set.
    pub fn request(&self) -> &Request {
        self.request
    }
}

/// The maximum number of languages read from a header.
const MOST: usize = 32;

impl fmt::Debug for CannedContext<'_> {
    /// Never prints text of the request.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CannedContext")
            .field("model", &self.model().map(shown))
            .finish_non_exhaustive()
    }
}

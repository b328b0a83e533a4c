//! Where the conversation of a call is at home: at its own first target, or at the fallback that has stored a part of it.

use std::sync::Arc;

use tokio::time::Instant;

use super::{Fallback, FallbackPolicy, routes::beyond, steps::FallbackSteps};
use crate::{
    Request,
    dialect::{Dialect, RequestEditor, RequestInfo},
    provenance::Maker,
};

// === impl FallbackSteps ===

impl<S> FallbackSteps<S> {
    /// Puts the fallback first that has made the stored response, or the conversation, that a call refers to, as only that one
    /// has it. Returns the makers at the call's own first target, if that is another one.
    pub(super) fn detour(&mut self, request: &Request, info: &RequestInfo) -> Option<Arc<[Maker]>> {
        if info.dialect() != Some(Dialect::OpenAiResponses) || !info.effects().is_of_an_account() {
            return None;
        }
        let marks = RequestEditor::open(info, request.body())?.stored_marks();
        let now = Instant::now();
        let maker = marks.into_iter().find_map(|mark| self.memory.maker(mark, now))?;
        let home = self.policy.home(request, info);
        if home.contains(&maker) {
            return None;
        }
        let made = |fallback: &Fallback| fallback.makers(request, info).contains(&maker);
        let at = self.policy.fallbacks.iter().position(made)?;
        let mut policy = FallbackPolicy::clone(&self.policy);
        policy.fallbacks[..=at].rotate_right(1);
        policy.detour = true;
        self.policy = Arc::new(policy);
        Some(home)
    }
}

// === impl FallbackPolicy ===

impl FallbackPolicy {
    /// The makers of answers at the first target.
    pub(super) fn home(&self, request: &Request, info: &RequestInfo) -> Arc<[Maker]> {
        self.fallbacks[0].makers(request, info).into()
    }
}

// === impl Fallback ===

impl Fallback {
    /// The makers of the answers of this fallback: one for each of its targets.
    fn makers(&self, request: &Request, info: &RequestInfo) -> Vec<Maker> {
        let Some(dialect) = info.dialect().filter(|_| self.asks()) else { return Vec::new() };
        let routes = beyond(self.request(request.clone(), info));
        routes.iter().map(|(route, _)| Maker::of(route, dialect)).collect()
    }
}

//! One attempt: who makes its answer, and whose reasoning its request holds.

use std::sync::{Arc, LazyLock};

use memchr::memmem::Finder;
use tokio::time::Instant;

use crate::{
    Request,
    context::{AttemptContext, CallContext},
    dialect::{Dialect, Mark, RequestEditor, RequestInfo},
    provenance::{ForeignReasoning, Maker, Provenance},
    target::{edit_body, group::EqualTargets},
    telemetry::EditSummary,
};

/// What is known of an attempt before it is sent.
pub(super) struct AttemptOrigin {
    pub(super) dialect: Dialect,
    pub(super) maker: Maker,
    /// The makers at the call's own first target, if the attempt goes elsewhere.
    home: Option<Arc<[Maker]>>,
    /// Whether the attempt goes to one of several equal targets.
    equal: bool,
    info: Arc<RequestInfo>,
}

/// How a request is changed after a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repair {
    /// Without any reasoning.
    WithoutReasoning,
    /// As it came.
    AsItCame,
}

// === impl AttemptOrigin ===

impl AttemptOrigin {
    /// Reads an attempt; `None` if its reasoning is left alone.
    pub(super) fn read(request: &mut Request) -> Option<Self> {
        let info = CallContext::info(request);
        let dialect = info.dialect()?;
        let maker = Maker::of(&AttemptContext::route(request), dialect);
        let equal = EqualTargets::of(request).is_some();
        let attempt = AttemptContext::of(request);
        let home = attempt.home.clone();
        let kept = attempt.foreign_reasoning == ForeignReasoning::Keep;
        (!kept).then_some(Self { dialect, maker, home, equal, info })
    }

    /// Whether the request may be refused for its reasoning, or for the lack of it: one with neither reasoning nor the calls of
    /// tools is not.
    pub(super) fn may_be_refused(request: &Request) -> bool {
        may_reason(request.body()) || has_any(&*CALLS, request.body())
    }

    /// Whether the answer leaves marks: that of a call's own first target is what unknown marks stand for.
    pub(super) fn is_learned(&self) -> bool {
        self.equal || !self.is_home()
    }

    /// Whether the attempt goes to the provider of the call's own first target.
    fn is_home(&self) -> bool {
        self.home.as_ref().is_none_or(|home| home.contains(&self.maker))
    }

    /// Removes the reasoning that others have made. Returns the number of turns that had some.
    pub(super) fn remove_foreign(&self, request: &mut Request, memory: &Provenance) -> usize {
        if !may_reason(request.body()) {
            return 0;
        }
        let (now, unknown) = (Instant::now(), !self.is_home());
        let foreign = |marks: &[Mark]| {
            let mut known = marks.iter().filter_map(|mark| memory.maker(*mark, now)).peekable();
            match known.peek() {
                None => unknown,
                Some(_) => known.any(|maker| maker != self.maker),
            }
        };
        self.edit(request, &mut |draft| draft.drop_reasoning(&foreign))
    }

    /// Removes all reasoning, and what a provider would miss then. Returns whether the request was changed.
    pub(super) fn remove_all(&self, request: &mut Request, marks: &mut Vec<Mark>) -> usize {
        let seen = std::cell::RefCell::new(marks);
        let all = |marks: &[Mark]| {
            seen.borrow_mut().extend(marks);
            true
        };
        self.edit(request, &mut |draft| {
            let removed = draft.drop_reasoning(&all);
            let settled = draft.settle_thinking() | draft.sign_calls();
            removed + usize::from(settled)
        })
    }

    fn edit(
        &self,
        request: &mut Request,
        change: &mut dyn FnMut(&mut RequestEditor<'_>) -> usize,
    ) -> usize {
        let body = request.body().clone();
        let Some(mut draft) = RequestEditor::open(&self.info, &body) else { return 0 };
        let count = change(&mut draft);
        if let Some(changed) = draft.close() {
            edit_body(request, changed, self.dialect);
        }
        count
    }
}

/// Words of which every request with reasoning has one, in any dialect.
static REASONING: LazyLock<[Finder<'static>; 4]> =
    LazyLock::new(|| ["reasoning", "thinking", "thought", "encrypted_content"].map(Finder::new));

/// The words of tool calls in a request.
static CALLS: LazyLock<[Finder<'static>; 3]> =
    LazyLock::new(|| ["tool_calls", "functionCall", "tool_use"].map(Finder::new));

/// Whether a request may have reasoning: most have none, and are not parsed.
fn may_reason(body: &[u8]) -> bool {
    has_any(&*REASONING, body)
}

fn has_any(words: &[Finder<'static>], body: &[u8]) -> bool {
    words.iter().any(|word| word.find(body).is_some())
}

/// The summary of a request from which reasoning was removed.
pub(super) fn summary(reasoning: usize) -> EditSummary {
    EditSummary { changed: true, reasoning, ..EditSummary::default() }
}

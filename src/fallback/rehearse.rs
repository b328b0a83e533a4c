//! The requests of a rehearsal: one for each target, as a call would send it.

use std::{fmt, sync::Arc};

use super::{Canned, Fallback, FallbackPolicy, kind::Kind, routes::FallbackList};
use crate::{
    Request,
    compatibility::Compatibility,
    context::AttemptContext,
    dialect::{RequestEditor, RequestInfo},
    target::{Shortfall, Target},
    telemetry::{EditSummary, EventSink, SkipReason, UserCode},
};

/// One target of a fallback in a rehearsal, or a fallback without a target.
pub(crate) struct RehearsalStep {
    /// The position of the fallback, from 0.
    pub(crate) fallback: usize,
    /// The position among equal targets, from 0.
    pub(crate) target: Option<usize>,
    pub(crate) name: Arc<str>,
    pub(crate) plan: RehearsalPlan,
}

/// What a rehearsal does with a target.
pub(crate) enum RehearsalPlan {
    Send {
        request: Box<Request>,
        edits: EditSummary,
    },
    Skip {
        reason: SkipReason,
        shortfalls: Vec<Shortfall>,
    },
    Canned(Result<(), CannedFault>),
    /// A stored answer or a wait: there is nothing to ask.
    Pass,
}

/// What is wrong with a canned reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CannedFault {
    /// The closure panicked.
    Panicked,
    /// The text is blank.
    Blank,
    /// The dialect of the request is not known, so the text cannot be rendered.
    Dialect,
    /// The request asks for JSON, and the text is not JSON.
    NotJson,
}

// === impl FallbackList ===

impl FallbackList {
    /// The requests of a rehearsal, in the order of the fallbacks.
    pub(crate) fn rehearse(&self, mut request: Request, events: &EventSink) -> Vec<RehearsalStep> {
        let own = self.0.of_call(request.extensions());
        let policy = own.as_ref().unwrap_or(&self.0);
        let info = policy.info(&mut request);
        let each = |at: usize| policy.rehearse(at, &request, &info, events);
        (0..policy.fallbacks.len()).flat_map(each).collect()
    }
}

// === impl FallbackPolicy ===

impl FallbackPolicy {
    fn rehearse(
        &self,
        at: usize,
        request: &Request,
        info: &RequestInfo,
        events: &EventSink,
    ) -> Vec<RehearsalStep> {
        let fallback = &self.fallbacks[at];
        let step = |target, plan| RehearsalStep {
            fallback: at,
            target,
            name: fallback.name.clone(),
            plan,
        };
        match &fallback.kind {
            Kind::Stored(_) | Kind::Wait => vec![step(None, RehearsalPlan::Pass)],
            Kind::Canned(canned) => {
                vec![step(None, RehearsalPlan::Canned(canned.rehearse(request, info, events)))]
            }
            Kind::Addressed | Kind::Target(_) | Kind::TargetGroup(_) => {
                let alone = fallback.alone().into_iter();
                let plan = |alone: Fallback| self.plan(at, &alone, request, info);
                alone.map(|(target, alone)| step(target, plan(alone))).collect()
            }
        }
    }

    /// The request to one target of the fallback at `at`.
    fn plan(
        &self,
        at: usize,
        alone: &Fallback,
        request: &Request,
        info: &RequestInfo,
    ) -> RehearsalPlan {
        if let Some(reason) = self.may_go(at, info).err().filter(|_| at > 0) {
            return RehearsalPlan::Skip { reason, shortfalls: Vec::new() };
        }
        let mut ready = match alone.prepare(request.clone(), info, None) {
            Ok(ready) => ready,
            Err(reason) => {
                let shortfalls = alone.shortfalls(request.clone(), info);
                return RehearsalPlan::Skip { reason, shortfalls };
            }
        };
        let attempt = AttemptContext::of(&mut ready.request);
        attempt.fallback_index = at as u16;
        attempt.fallback_name = Some(alone.name.clone());
        attempt.home = (at > 0).then(|| self.home(request, info));
        if at == 0 && self.fallbacks[0].has_equals() {
            // Equal targets are asked again without a field that they reject, also if they are the first.
            attempt.compatibility.get_or_insert(Compatibility::Full);
        }
        RehearsalPlan::Send { request: Box::new(ready.request), edits: ready.edits }
    }
}

// === impl Fallback ===

impl Fallback {
    /// A fallback for each of its targets alone.
    fn alone(&self) -> Vec<(Option<usize>, Self)> {
        let Kind::TargetGroup(equals) = &self.kind else { return vec![(None, self.clone())] };
        let alone = |(n, target): (usize, &Target)| {
            (Some(n), Self { kind: Kind::Target(Box::new(target.clone())), ..self.clone() })
        };
        equals.targets.iter().enumerate().map(alone).collect()
    }

    /// What the edited request needs beyond what the fallback offers.
    fn shortfalls(&self, request: Request, info: &RequestInfo) -> Vec<Shortfall> {
        let mut request = self.request(request, info);
        if self.edit.apply(&mut request, info).is_some() {
            return self.offers.shortfalls(&mut request);
        }
        let editor = RequestEditor::open(info, request.body());
        let needed = editor.map(|editor| editor.requirements().tokens);
        let context = self.edit.context().zip(needed);
        context
            .map(|(offered, needed)| Shortfall::Context { needed, offered })
            .into_iter()
            .collect()
    }
}

// === impl Canned ===

impl Canned {
    /// Makes the reply and checks it.
    fn rehearse(
        &self,
        request: &Request,
        info: &RequestInfo,
        events: &EventSink,
    ) -> Result<(), CannedFault> {
        let text = events.guard(UserCode::Canned, || self.text_for(request, info));
        let text = text.ok_or(CannedFault::Panicked)?;
        if text.trim().is_empty() {
            return Err(CannedFault::Blank);
        }
        info.dialect().ok_or(CannedFault::Dialect)?;
        let editor = RequestEditor::open(info, request.body());
        let json = editor.is_some_and(|editor| editor.requirements().json);
        if json && serde_json::from_str::<serde::de::IgnoredAny>(&text).is_err() {
            return Err(CannedFault::NotJson);
        }
        Ok(())
    }
}

// === impl CannedFault ===

impl fmt::Display for CannedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Panicked => "the closure of the reply panicked",
            Self::Blank => "the text is blank",
            Self::Dialect => "the dialect of the request is not known",
            Self::NotJson => "the request asks for JSON, and the text is not JSON",
        })
    }
}

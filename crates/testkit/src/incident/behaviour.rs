//! The behaviour of a provider in one state.

use std::{sync::Arc, time::Duration};

use fastrand::Rng;

use crate::{
    incident::sample::SampleRange,
    reply::{Fault, Reply, WORDS},
};

/// The behaviour of a provider in one state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Behaviour {
    pub(super) first: SampleRange,
    pub(super) rest: SampleRange,
    pub(super) mix: Vec<FaultShare>,
    pub(super) capacity: Option<SampleRange>,
    pub(super) over: Vec<FaultShare>,
    /// Whether the connections that are idle when a phase of this state begins are reset at their next request.
    pub(super) replaces_node: bool,
}

/// One fault, and the share of attempts that have it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FaultShare {
    pub(super) share: f64,
    /// Only attempts with this tool have the fault.
    pub(super) tool: Option<Arc<str>>,
    /// The time until the head, in seconds.
    pub(super) after: SampleRange,
    pub(super) kind: FaultKind,
}

/// The kind of a fault, with its fields in the file.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum FaultKind {
    Status { status: u16, code: String, kind: String, retry_after: Option<SampleRange> },
    Slow { first: SampleRange },
    Cut { words: SampleRange },
    Stall { words: SampleRange, lasts: Option<SampleRange> },
    ErrorEvent { words: SampleRange },
    Silence,
    Refused,
    Reset,
}

/// Draws the numbers of one reply.
pub(super) struct Sampler<'a> {
    pub(super) rng: &'a mut Rng,
    pub(super) scale: f64,
    pub(super) words_per_event: usize,
}

// === impl Sampler ===

impl Sampler<'_> {
    fn seconds(&mut self, range: SampleRange) -> Duration {
        range.seconds(self.rng, self.scale)
    }
}

// === impl Behaviour ===

impl Behaviour {
    /// A whole answer.
    pub(super) fn answer(&self, sampler: &mut Sampler<'_>) -> Reply {
        let events = WORDS.split(' ').count().div_ceil(sampler.words_per_event);
        let between = sampler.seconds(self.rest) / (events.max(2) - 1) as u32;
        Reply::answer()
            .words_per_event(sampler.words_per_event)
            .first_content_after(sampler.seconds(self.first))
            .between_events(between)
    }

    /// The answer to an attempt with these tools that is within the capacity and has a connection.
    pub(super) fn within(&self, sampler: &mut Sampler<'_>, tools: &[Arc<str>]) -> Reply {
        let answer = self.answer(sampler);
        let shares =
            self.mix.iter().filter(|part| part.kind != FaultKind::Refused && part.is_for(tools));
        // Refused attempts do not reach this point: the other shares are of the rest.
        let rest = 1.0 - self.refused();
        match pick(shares, sampler.rng.f64() * rest) {
            Some(part) => part.apply(answer, sampler),
            None => answer,
        }
    }

    /// The answer to an attempt beyond the capacity.
    pub(super) fn beyond(&self, sampler: &mut Sampler<'_>) -> Reply {
        let answer = self.answer(sampler);
        match pick(self.over.iter(), sampler.rng.f64()).or(self.over.last()) {
            Some(part) => part.apply(answer, sampler),
            None => Reply::status(503),
        }
    }

    /// The unavailable tools.
    pub(super) fn tools(&self) -> impl Iterator<Item = &Arc<str>> {
        self.mix.iter().filter_map(|part| part.tool.as_ref())
    }

    /// The share of connections that are refused.
    pub(super) fn refused(&self) -> f64 {
        let refused = self.mix.iter().filter(|part| part.kind == FaultKind::Refused);
        refused.map(|part| part.share).sum()
    }
}

fn pick<'a>(parts: impl Iterator<Item = &'a FaultShare>, mut drawn: f64) -> Option<&'a FaultShare> {
    for part in parts {
        if drawn < part.share {
            return Some(part);
        }
        drawn -= part.share;
    }
    None
}

// === impl FaultShare ===

impl FaultShare {
    /// Whether the fault applies to attempts with these tools.
    fn is_for(&self, tools: &[Arc<str>]) -> bool {
        self.tool.as_ref().is_none_or(|tool| tools.contains(tool))
    }

    /// Applies the fault to a whole answer.
    fn apply(&self, answer: Reply, sampler: &mut Sampler<'_>) -> Reply {
        let reply = match &self.kind {
            FaultKind::Status { status, code, kind, retry_after } => {
                let reply = Reply::error(*status, kind, code);
                match retry_after {
                    Some(wait) => reply.retry_after(sampler.seconds(*wait)),
                    None => reply,
                }
            }
            FaultKind::Slow { first } => answer.first_content_after(sampler.seconds(*first)),
            FaultKind::Cut { words } => answer.with(Fault::Cut { words: words.whole(sampler.rng) }),
            FaultKind::Stall { words, lasts } => {
                let words = words.whole(sampler.rng);
                answer.with(match lasts {
                    Some(lasts) => Fault::Silence { words, lasts: sampler.seconds(*lasts) },
                    None => Fault::Stall { words },
                })
            }
            FaultKind::ErrorEvent { words } => {
                answer.with(Fault::server_error(words.whole(sampler.rng)))
            }
            FaultKind::Silence => Reply::hang(),
            FaultKind::Refused => Reply::refused(),
            FaultKind::Reset => Reply::reset(),
        };
        reply.head_after(sampler.seconds(self.after))
    }
}

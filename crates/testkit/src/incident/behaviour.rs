//! What a provider does in one state.

use std::{sync::Arc, time::Duration};

use fastrand::Rng;

use crate::{
    incident::draw::Span,
    reply::{Fault, Reply, WORDS},
};

/// What a provider does in one state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Behaviour {
    pub(super) first: Span,
    pub(super) rest: Span,
    pub(super) mix: Vec<Part>,
    pub(super) capacity: Option<Span>,
    pub(super) over: Vec<Part>,
    /// Whether what is kept when a phase of this state begins is reset at its next request.
    pub(super) replaces_node: bool,
}

/// One thing that goes wrong, and its share of the attempts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    pub(super) share: f64,
    /// It is met by attempts that bring this tool alone.
    pub(super) tool: Option<Arc<str>>,
    pub(super) after: Span,
    pub(super) what: Wrong,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wrong {
    Status { status: u16, code: String, kind: String, retry_after: Option<Span> },
    Slow { first: Span },
    Cut { words: Span },
    Stall { words: Span, lasts: Option<Span> },
    ErrorEvent { words: Span },
    Silence,
    Refused,
    Reset,
}

/// How a draw is turned into a reply.
pub(super) struct Draw<'a> {
    pub(super) rng: &'a mut Rng,
    pub(super) scale: f64,
    pub(super) words_per_event: usize,
}

// === impl Draw ===

impl Draw<'_> {
    fn seconds(&mut self, span: Span) -> Duration {
        span.seconds(self.rng, self.scale)
    }
}

// === impl Behaviour ===

impl Behaviour {
    /// A whole answer.
    pub(super) fn answer(&self, draw: &mut Draw<'_>) -> Reply {
        let events = WORDS.split(' ').count().div_ceil(draw.words_per_event);
        let between = draw.seconds(self.rest) / (events.max(2) - 1) as u32;
        Reply::answer()
            .words_per_event(draw.words_per_event)
            .first_content_after(draw.seconds(self.first))
            .between_events(between)
    }

    /// The answer to an attempt with these tools that is within the capacity and was not refused.
    pub(super) fn within(&self, draw: &mut Draw<'_>, tools: &[Arc<str>]) -> Reply {
        let answer = self.answer(draw);
        let met = self.mix.iter().filter(|part| part.what != Wrong::Refused && part.is_for(tools));
        // What is refused never gets here, so the other shares are those of the rest.
        let all = 1.0 - self.refused();
        match pick(met, draw.rng.f64() * all) {
            Some(part) => part.spoil(answer, draw),
            None => answer,
        }
    }

    /// The answer to an attempt that exceeds the capacity.
    pub(super) fn beyond(&self, draw: &mut Draw<'_>) -> Reply {
        let answer = self.answer(draw);
        match pick(self.over.iter(), draw.rng.f64()).or(self.over.last()) {
            Some(part) => part.spoil(answer, draw),
            None => Reply::status(503),
        }
    }

    /// The tools that do not work.
    pub(super) fn tools(&self) -> impl Iterator<Item = &Arc<str>> {
        self.mix.iter().filter_map(|part| part.tool.as_ref())
    }

    /// The share of connections that are refused.
    pub(super) fn refused(&self) -> f64 {
        let refused = self.mix.iter().filter(|part| part.what == Wrong::Refused);
        refused.map(|part| part.share).sum()
    }
}

fn pick<'a>(parts: impl Iterator<Item = &'a Part>, mut at: f64) -> Option<&'a Part> {
    for part in parts {
        if at < part.share {
            return Some(part);
        }
        at -= part.share;
    }
    None
}

// === impl Part ===

impl Part {
    /// Whether an attempt with these tools may meet it.
    fn is_for(&self, tools: &[Arc<str>]) -> bool {
        self.tool.as_ref().is_none_or(|tool| tools.contains(tool))
    }

    /// Makes of a whole answer what goes wrong.
    fn spoil(&self, answer: Reply, draw: &mut Draw<'_>) -> Reply {
        let reply = match &self.what {
            Wrong::Status { status, code, kind, retry_after } => {
                let reply = Reply::error(*status, kind, code);
                match retry_after {
                    Some(wait) => reply.retry_after(draw.seconds(*wait)),
                    None => reply,
                }
            }
            Wrong::Slow { first } => answer.first_content_after(draw.seconds(*first)),
            Wrong::Cut { words } => answer.with(Fault::Cut { words: words.whole(draw.rng) }),
            Wrong::Stall { words, lasts } => {
                let words = words.whole(draw.rng);
                let lasts = lasts.map_or(Duration::MAX, |span| draw.seconds(span));
                answer.with(Fault::Silence { words, lasts })
            }
            Wrong::ErrorEvent { words } => answer.with(Fault::server_error(words.whole(draw.rng))),
            Wrong::Silence => Reply::hang(),
            Wrong::Refused => Reply::refused(),
            Wrong::Reset => Reply::reset(),
        };
        reply.head_after(draw.seconds(self.after))
    }
}

//! Parses a stream in content codings: its bytes are handed on as they are, and decoded for the parser alone.

use super::MonitoredBody;
use crate::{
    coding::{Codings, StreamDecoder},
    dialect::{FrameSummary, StreamMonitor},
    outcome::Outcome,
};

// === impl MonitoredBody ===

impl MonitoredBody {
    /// Decodes the bytes for the parser, if they are in codings that are known.
    pub(crate) fn decode(&mut self, codings: &Codings) {
        self.decoder = StreamDecoder::new(codings).map(Box::new);
    }
}

/// Decodes the next bytes of a stream and parses them.
pub(super) fn feed(
    watch: &mut StreamMonitor,
    decoder: &mut StreamDecoder,
    data: &[u8],
) -> FrameSummary {
    let mut seen = FrameSummary::default();
    let end = decoder.push(data, |plain| add(&mut seen, watch.feed(plain)));
    // What follows a complete stream is of no concern.
    if end.is_err() && watch.outcome() == Outcome::Truncated {
        seen.fail(Outcome::Malformed.into());
    }
    seen
}

fn add(seen: &mut FrameSummary, more: FrameSummary) {
    seen.events = seen.events.saturating_add(more.events);
    seen.content = seen.content.saturating_add(more.content);
    seen.works |= more.works;
    if let Some(verdict) = more.failed {
        seen.fail(verdict);
    }
}

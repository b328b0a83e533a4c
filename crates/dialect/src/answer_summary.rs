//! The content of a whole answer, parsed once when it is stored.

#[cfg(test)]
mod tests;

use crate::{
    Dialect, Usage,
    decode::each_event,
    events::{AnswerEvent, Fault, FinishReason, PartKind, UsageCounts},
    outcome::ErrorCodeTable,
    reader::EventReader,
};

/// The text of an answer, and whether the answer has anything else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AnswerSummary {
    /// The text, as far as it could be parsed.
    pub text: Option<String>,
    /// The model in the answer, where the answer names it.
    pub model: Option<String>,
    /// The usage, where the answer reports it.
    pub tokens: Option<Usage>,
    /// Whether the answer is complete: it did not end at a limit or by a filter, and is not to be continued.
    pub whole: bool,
    /// Whether the answer calls tools.
    pub tools: bool,
    /// Whether the answer is its text and nothing else, so that it can be rendered in another form.
    pub plain: bool,
}

/// The state of a summary.
struct Fold {
    summary: AnswerSummary,
    usage: UsageCounts,
    /// Whether every event could be parsed.
    readable: bool,
    /// Whether the last event of the API has arrived. Later events are ignored.
    over: bool,
}

// === impl AnswerSummary ===

impl AnswerSummary {
    /// Parses a whole answer, streamed or not; `None` for bytes that are not an answer.
    pub fn read(dialect: Dialect, stream: bool, bytes: &[u8]) -> Option<Self> {
        let mut reader = EventReader::new(dialect, &ErrorCodeTable::default());
        let mut fold = Fold::new();
        if stream {
            each_event(dialect.framing(), bytes, |raw| {
                if fold.over {
                    return;
                }
                reader.read_lossy(&raw, |event, _| {
                    fold.readable &= !matches!(event.fault, Some(Fault::Unreadable(_)));
                    fold.add(event);
                });
            });
        } else {
            fold.add(&reader.read_whole(bytes).ok()?);
        }
        fold.end()
    }
}

// === impl Fold ===

impl Fold {
    fn new() -> Self {
        let summary = AnswerSummary { plain: true, ..AnswerSummary::default() };
        Self { summary, usage: UsageCounts::default(), readable: true, over: false }
    }

    /// Adds one event of a stream, or a whole answer.
    fn add(&mut self, event: &AnswerEvent<'_>) {
        let Self { summary, usage, readable, over } = self;
        *over = event.last;
        if event.snapshot {
            (summary.text, summary.tools, summary.plain) = (None, false, true);
        }
        if let (None, Some(model)) = (&summary.model, event.model) {
            summary.model = model.decode().map(|model| model.into_owned());
        }
        event.usage.into_iter().for_each(|counts| usage.add(counts));
        for part in event.parts.iter() {
            let Some(text) = part.text else {
                summary.tools |= part.kind == PartKind::ToolCall;
                summary.plain &= part.kind == PartKind::Restated;
                continue;
            };
            match text.decode() {
                Some(text) => summary.text.get_or_insert_default().push_str(&text),
                None => *readable = false,
            }
        }
        summary.plain &= !event.opaque && !event.annotated && event.choices <= 1;
        for finish in event.finishes.iter() {
            summary.whole = finish.reason.is_complete();
            // Whole, but a rendering could not say which stop sequence was met.
            summary.plain &= finish.reason != FinishReason::StopSequence;
        }
    }

    fn end(self) -> Option<AnswerSummary> {
        let Self { mut summary, usage, readable, .. } = self;
        if summary.plain {
            summary.text.get_or_insert_default();
        }
        summary.tokens = usage.tokens();
        readable.then_some(summary)
    }
}

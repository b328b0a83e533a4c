//! The JSON of an answer: one chunk of a stream, or the whole answer. Both have the same shape.

use crate::{
    event_json::WholeAnswer,
    events::{AnswerEvent, Finish, FinishReason, JsonText, PartKind, UsageCounts},
    json::{RawField, Skipped, fields, is_filled, plain_str, read},
};

fields! {
    #[allow(non_snake_case)]
    pub(super) struct Chunk<'a> {
        error: RawField<'a>,
        candidates: Option<Vec<Candidate<'a>>>,
        promptFeedback: Option<Feedback<'a>>,
        usageMetadata: RawField<'a>,
        modelVersion: RawField<'a>,
        responseId: RawField<'a>,
    }
}

fields! {
    #[allow(non_snake_case)]
    pub(super) struct Candidate<'a> {
        index: RawField<'a>,
        content: Option<Content<'a>>,
        finishReason: RawField<'a>,
        avgLogprobs: Skipped,
        safetyRatings: Skipped,
        tokenCount: Skipped,
    } + more
}

fields! {
    #[allow(non_snake_case)]
    pub(super) struct Feedback<'a> {
        blockReason: RawField<'a>,
    }
}

fields! {
    pub(super) struct Content<'a> {
        parts: Option<Vec<Part<'a>>>,
    }
}

fields! {
    #[allow(non_snake_case)]
    pub(super) struct Part<'a> {
        text: RawField<'a>,
        thought: RawField<'a>,
        /// The signature of a thought: not content.
        thoughtSignature: Skipped,
        functionCall: RawField<'a>,
        inlineData: RawField<'a>,
        fileData: RawField<'a>,
        executableCode: RawField<'a>,
        codeExecutionResult: RawField<'a>,
    } + more
}

fields! {
    #[allow(non_snake_case)]
    struct Counts<'a> {
        promptTokenCount: RawField<'a>,
        toolUsePromptTokenCount: RawField<'a>,
        candidatesTokenCount: RawField<'a>,
        thoughtsTokenCount: RawField<'a>,
        cachedContentTokenCount: RawField<'a>,
    }
}

// === impl Chunk ===

impl<'a> WholeAnswer<'a> for Chunk<'a> {
    fn is_error(&self) -> bool {
        is_filled(self.error)
    }

    /// The usage, where it is reported. Thoughts are output; results of tools are input.
    fn usage(&self) -> Option<UsageCounts> {
        let counts: Counts<'_> = read(self.usageMetadata)?;
        let sum = |one, other| {
            let count = |raw| read::<u64>(raw).unwrap_or_default();
            count(one).saturating_add(count(other))
        };
        let input = sum(counts.promptTokenCount, counts.toolUsePromptTokenCount);
        let output = sum(counts.candidatesTokenCount, counts.thoughtsTokenCount);
        Some(UsageCounts {
            cache_read_of_input: read(counts.cachedContentTokenCount),
            reasoning: read(counts.thoughtsTokenCount),
            ..UsageCounts::new(input, output)
        })
    }

    /// Adds the content of the chunk.
    fn add_to(&self, event: &mut AnswerEvent<'a>) {
        let (id, model) = (self.responseId, self.modelVersion);
        (event.id, event.model) = (JsonText::filled(id), JsonText::filled(model));
        event.usage = self.usage();
        for candidate in self.candidates.as_deref().unwrap_or_default() {
            candidate.add_to(event);
        }
        if self.is_blocked() {
            event.push_finish(FinishReason::Filtered);
        }
    }
}

impl<'a> Chunk<'a> {
    /// Whether the prompt was blocked: then there is no candidate, and no further chunk.
    fn is_blocked(&self) -> bool {
        let reason =
            self.promptFeedback.as_ref().map_or("", |feedback| plain_str(feedback.blockReason));
        !matches!(reason, "" | "BLOCK_REASON_UNSPECIFIED" | "BLOCKED_REASON_UNSPECIFIED")
    }
}

// === impl Candidate ===

impl<'a> Candidate<'a> {
    fn add_to(&self, event: &mut AnswerEvent<'a>) {
        // Clamped to a valid index: the API allows at most 8 candidates.
        let index = read::<u32>(self.index).unwrap_or_default().min(31);
        event.choices |= 1 << index;
        event.annotated |= self.more;
        let parts = self.content.as_ref().and_then(|content| content.parts.as_deref());
        parts.unwrap_or_default().iter().for_each(|part| part.add_to(event));
        if let Some(word) = self.finish() {
            let reason = FinishReason::of(word);
            event.finishes.push(Finish { choice: Some(index), reason, word });
        }
    }

    /// The finish reason, once there is one.
    fn finish(&self) -> Option<&'a str> {
        let word = plain_str(self.finishReason);
        let is_set = is_filled(self.finishReason) && word != "FINISH_REASON_UNSPECIFIED";
        is_set.then_some(word)
    }
}

// === impl Part ===

impl<'a> Part<'a> {
    /// Adds text, thoughts, function calls, images, code; not the signature of a thought.
    fn add_to(&self, event: &mut AnswerEvent<'a>) {
        let Self { inlineData, fileData, executableCode, codeExecutionResult, .. } = *self;
        let thought = is_filled(self.thought);
        if thought {
            event.push(PartKind::Reasoning, is_filled(self.text));
        } else if !event.push_text(self.text) {
            event.push(PartKind::Other, is_filled(self.text));
        }
        event.push(PartKind::ToolCall, is_filled(self.functionCall));
        let other = [inlineData, fileData, executableCode, codeExecutionResult];
        event.push(PartKind::Other, other.into_iter().any(is_filled));
        event.annotated |= thought;
        event.opaque |= self.more;
    }
}

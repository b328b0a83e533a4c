//! The JSON of an answer: one chunk of a stream, or all of it at once. They are the same.

use crate::{
    Tokens,
    json::{Raw, fields, is_filled, read, word},
    progress::Finish,
};

fields! {
    #[allow(non_snake_case)]
    pub(super) struct Chunk<'a> {
        error: Raw<'a>,
        candidates: Option<Vec<Candidate<'a>>>,
        promptFeedback: Option<Feedback<'a>>,
        usageMetadata: Raw<'a>,
    }
}

fields! {
    #[allow(non_snake_case)]
    pub(super) struct Candidate<'a> {
        index: Raw<'a>,
        content: Option<Content<'a>>,
        finishReason: Raw<'a>,
    }
}

fields! {
    #[allow(non_snake_case)]
    pub(super) struct Feedback<'a> {
        blockReason: Raw<'a>,
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
        text: Raw<'a>,
        functionCall: Raw<'a>,
        inlineData: Raw<'a>,
        fileData: Raw<'a>,
        executableCode: Raw<'a>,
        codeExecutionResult: Raw<'a>,
    }
}

fields! {
    #[allow(non_snake_case)]
    struct Counts<'a> {
        promptTokenCount: Raw<'a>,
        toolUsePromptTokenCount: Raw<'a>,
        candidatesTokenCount: Raw<'a>,
        thoughtsTokenCount: Raw<'a>,
    }
}

// === impl Chunk ===

impl Chunk<'_> {
    pub(super) fn is_error(&self) -> bool {
        is_filled(self.error)
    }

    /// Whether the prompt was blocked: then there is no candidate, and nothing more comes.
    pub(super) fn is_blocked(&self) -> bool {
        let reason = self.promptFeedback.as_ref().map_or("", |feedback| word(feedback.blockReason));
        !matches!(reason, "" | "BLOCK_REASON_UNSPECIFIED" | "BLOCKED_REASON_UNSPECIFIED")
    }

    pub(super) fn candidates(&self) -> &[Candidate<'_>] {
        self.candidates.as_deref().unwrap_or_default()
    }

    /// The tokens, where it tells them. What was thought is output, what tools gave is input.
    pub(super) fn tokens(&self) -> Option<Tokens> {
        let counts: Counts<'_> = read(self.usageMetadata)?;
        let sum = |one, other| {
            let count = |raw| read::<u64>(raw).unwrap_or_default();
            count(one).saturating_add(count(other))
        };
        let input = sum(counts.promptTokenCount, counts.toolUsePromptTokenCount);
        let output = sum(counts.candidatesTokenCount, counts.thoughtsTokenCount);
        Some(Tokens::new(input, output))
    }
}

// === impl Candidate ===

impl Candidate<'_> {
    /// Its index, where it makes sense: the API takes 8 candidates at most.
    pub(super) fn index(&self) -> u32 {
        read::<u32>(self.index).unwrap_or_default().min(31)
    }

    pub(super) fn has_content(&self) -> bool {
        let parts = self.content.as_ref().and_then(|content| content.parts.as_deref());
        parts.unwrap_or_default().iter().any(Part::has_content)
    }

    /// Why it ended, once it has.
    pub(super) fn finish(&self) -> Option<Finish> {
        Some(match word(self.finishReason) {
            "" | "FINISH_REASON_UNSPECIFIED" => return None,
            "MAX_TOKENS" => Finish::Limited,
            "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" => {
                Finish::Filtered
            }
            image if image.starts_with("IMAGE_") && image != "IMAGE_OTHER" => Finish::Filtered,
            _ => Finish::Plain,
        })
    }
}

// === impl Part ===

impl Part<'_> {
    /// Text, thoughts, calls of functions, pictures, code; not the signature of a thought.
    fn has_content(&self) -> bool {
        let Self { text, functionCall, inlineData, .. } = *self;
        let Self { fileData, executableCode, codeExecutionResult, .. } = *self;
        [text, functionCall, inlineData, fileData, executableCode, codeExecutionResult]
            .into_iter()
            .any(is_filled)
    }
}

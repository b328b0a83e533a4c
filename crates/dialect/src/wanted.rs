//! The fields of a request that are parsed, in all dialects at once.

use crate::json::{RawField, fields, is_filled, read};

fields! {
    #[allow(non_snake_case)]
    /// The fields of a request that are parsed.
    pub(super) struct Wanted<'a> {
        model: RawField<'a>,
        stream: RawField<'a>,
        stream_options: RawField<'a>,
        max_tokens: RawField<'a>,
        max_completion_tokens: RawField<'a>,
        max_output_tokens: RawField<'a>,
        tools: RawField<'a>,
        functions: RawField<'a>,
        n: RawField<'a>,
        generationConfig: RawField<'a>,
        options: RawField<'a>,
        stop: RawField<'a>,
        stop_sequences: RawField<'a>,
        previous_response_id: RawField<'a>,
        conversation: RawField<'a>,
        container: RawField<'a>,
        background: RawField<'a>,
        cachedContent: RawField<'a>,
        cached_content: RawField<'a>,
        temperature: RawField<'a>,
        top_p: RawField<'a>,
        top_k: RawField<'a>,
        seed: RawField<'a>,
        frequency_penalty: RawField<'a>,
        presence_penalty: RawField<'a>,
        reasoning_effort: RawField<'a>,
        reasoning: RawField<'a>,
        response_format: RawField<'a>,
        text: RawField<'a>,
        format: RawField<'a>,
    }
}

fields! {
    #[allow(non_snake_case)]
    pub(super) struct Generation<'a> {
        maxOutputTokens: RawField<'a>,
        stopSequences: RawField<'a>,
        candidateCount: RawField<'a>,
        temperature: RawField<'a>,
        topP: RawField<'a>,
        topK: RawField<'a>,
        seed: RawField<'a>,
        frequencyPenalty: RawField<'a>,
        presencePenalty: RawField<'a>,
        responseMimeType: RawField<'a>,
    }
}

fields! {
    pub(super) struct Options<'a> {
        num_predict: RawField<'a>,
        stop: RawField<'a>,
        temperature: RawField<'a>,
        top_p: RawField<'a>,
        top_k: RawField<'a>,
        seed: RawField<'a>,
        frequency_penalty: RawField<'a>,
        presence_penalty: RawField<'a>,
    }
}

/// The settings that some dialects nest, parsed once.
#[derive(Default)]
pub(super) struct Nested<'a> {
    pub(super) generation: Generation<'a>,
    pub(super) options: Options<'a>,
}

/// With a limit of at most this number of tokens, an answer may have no content.
const TINY: u64 = 16;

// === impl Wanted ===

impl<'a> Wanted<'a> {
    /// The nested settings.
    pub(super) fn nested(&self) -> Nested<'a> {
        Nested {
            generation: read(self.generationConfig).unwrap_or_default(),
            options: read(self.options).unwrap_or_default(),
        }
    }

    /// The largest number of tokens of an answer, by its names in the dialects: the newer before the older.
    pub(super) fn most(&self, nested: &Nested<'_>) -> Option<u64> {
        let Nested { generation, options } = nested;
        let outer = [self.max_completion_tokens, self.max_output_tokens, self.max_tokens];
        let inner = [generation.maxOutputTokens, options.num_predict];
        outer.into_iter().chain(inner).find_map(read)
    }

    /// The number of choices, clamped to what the APIs allow; zero if it is not set.
    pub(super) fn choices(&self, nested: &Nested<'_>) -> u32 {
        let inner = nested.generation.candidateCount;
        read::<u32>(self.n).or_else(|| read(inner)).unwrap_or_default().min(128)
    }

    /// Whether an answer without any content may be right.
    pub(super) fn stops(&self, nested: &Nested<'_>) -> bool {
        let Nested { generation, options } = nested;
        let stops = [self.stop, self.stop_sequences, generation.stopSequences, options.stop];
        stops.into_iter().any(is_filled) || self.most(nested).is_some_and(|most| most <= TINY)
    }
}

//! The JSON of an answer: a `chat.completion`, or one `chat.completion.chunk` of a stream. They differ in `message` and `delta`.

use serde_json::value::RawValue;

use crate::{
    events::{AnswerEvent, Finish, FinishReason, PartKind, UsageCounts},
    json::{RawField, Skipped, fields, is_filled, plain_str, read},
    outcome::{ErrorCodeTable, Verdict, in_stream},
};

fields! {
    pub(super) struct Chunk<'a> {
        id: RawField<'a>,
        object: RawField<'a>,
        model: RawField<'a>,
        error: RawField<'a>,
        choices: Option<Vec<Choice<'a>>>,
        usage: RawField<'a>,
        created: RawField<'a>,
        /// OpenAI's padding, of a different length in every chunk.
        obfuscation: RawField<'a>,
    }
}

fields! {
    pub(super) struct Choice<'a> {
        index: RawField<'a>,
        delta: Option<Piece<'a>>,
        /// In an unstreamed answer, and rarely in a stream.
        message: Option<Box<Piece<'a>>>,
        finish_reason: RawField<'a>,
        logprobs: RawField<'a>,
        error: RawField<'a>,
    }
}

fields! {
    /// A message, or a piece of one: all fields that can have content.
    pub(super) struct Piece<'a> {
        role: Skipped,
        name: RawField<'a>,
        content: RawField<'a>,
        reasoning_content: RawField<'a>,
        reasoning: RawField<'a>,
        reasoning_details: RawField<'a>,
        refusal: RawField<'a>,
        tool_calls: RawField<'a>,
        function_call: RawField<'a>,
        audio: RawField<'a>,
        images: RawField<'a>,
    } + more
}

fields! {
    /// Audio. The first piece has only an id, the last only an expiry.
    struct Sound<'a> {
        data: RawField<'a>,
        transcript: RawField<'a>,
    }
}

fields! {
    struct Part<'a> {
        text: RawField<'a>,
    }
}

fields! {
    struct Tool<'a> {
        function: Option<Function<'a>>,
    }
}

fields! {
    struct Function<'a> {
        arguments: RawField<'a>,
    }
}

fields! {
    struct Cost<'a> {
        prompt_tokens: RawField<'a>,
        completion_tokens: RawField<'a>,
        prompt_tokens_details: RawField<'a>,
        completion_tokens_details: RawField<'a>,
        /// DeepSeek's name for the cached part of the prompt.
        prompt_cache_hit_tokens: RawField<'a>,
    }
}

fields! {
    struct CostDetails<'a> {
        cached_tokens: RawField<'a>,
        reasoning_tokens: RawField<'a>,
    }
}

// === impl Chunk ===

impl Chunk<'_> {
    /// The error in place of the chunk, or of a choice. `json` is the JSON that the chunk was parsed from.
    pub(super) fn error(&self, codes: &ErrorCodeTable, json: &[u8]) -> Option<Verdict> {
        let choices = self.choices.as_deref().unwrap_or_default();
        // Some servers set the `error` field although there is no error.
        let blank = !choices.is_empty() && !is_filled(self.error);
        let object = self.object.is_some_and(|object| object.get() == "\"error\"");
        if object || (self.error.is_some() && !blank) {
            return Some(in_stream(codes, json));
        }
        choices.iter().find_map(|choice| choice.error(codes))
    }

    /// The usage, where it is reported.
    pub(super) fn usage(&self) -> Option<UsageCounts> {
        let cost: Cost<'_> = read(self.usage)?;
        let count = |raw| read(raw).unwrap_or_default();
        let prompt: CostDetails<'_> = read(cost.prompt_tokens_details).unwrap_or_default();
        let answer: CostDetails<'_> = read(cost.completion_tokens_details).unwrap_or_default();
        Some(UsageCounts {
            cache_read_of_input: read(prompt.cached_tokens.or(cost.prompt_cache_hit_tokens)),
            reasoning: read(answer.reasoning_tokens),
            ..UsageCounts::new(count(cost.prompt_tokens), count(cost.completion_tokens))
        })
    }
}

// === impl Choice ===

impl<'a> Choice<'a> {
    /// The index, clamped to a valid one: the API allows at most 128 choices.
    pub(super) fn index(&self) -> u32 {
        read::<u32>(self.index).unwrap_or_default().min(127)
    }

    /// The finish reason, once there is one.
    pub(super) fn finish(&self) -> Option<Finish<'a>> {
        let word = is_filled(self.finish_reason).then(|| plain_str(self.finish_reason))?;
        let reason = match word {
            // Some servers send this text in every chunk before the last.
            word if word.eq_ignore_ascii_case("null") => return None,
            // A server of another dialect that does not translate: its answer is not used as a whole one.
            "max_tokens" => FinishReason::Interrupted,
            word => FinishReason::of(word),
        };
        Some(Finish { choice: Some(self.index()), reason, word })
    }

    /// Adds its content.
    pub(super) fn add_to(&self, event: &mut AnswerEvent<'a>) {
        event.annotated |= is_filled(self.logprobs);
        let has_content = self.delta.as_ref().map(|delta| delta.add_to(event));
        match (&self.message, has_content) {
            (Some(message), None) => {
                message.add_to(event);
            }
            // Some servers repeat the whole message with its last piece.
            (Some(message), Some(false)) => {
                event.push(PartKind::Restated, message.add_to(&mut AnswerEvent::default()));
            }
            _ => {}
        }
    }

    /// The text, or the arguments of the only tool call, as raw JSON: the part that differs between chunks.
    pub(super) fn plain_text(&self) -> Option<&'a str> {
        let pieces = [self.delta.as_ref(), self.message.as_deref()];
        pieces.into_iter().flatten().find_map(Piece::plain_text)
    }

    fn error(&self, codes: &ErrorCodeTable) -> Option<Verdict> {
        is_filled(self.error).then(|| {
            let error = self.error.map_or("null", RawValue::get);
            in_stream(codes, format!("{{\"error\":{error}}}").as_bytes())
        })
    }
}

// === impl Piece ===

impl<'a> Piece<'a> {
    /// Adds the content. Returns whether there is any for the caller: a role or an empty piece is not content.
    fn add_to(&self, event: &mut AnswerEvent<'a>) -> bool {
        let before = event.parts.len();
        let texts = [self.reasoning_content, self.reasoning, self.refusal];
        let lists = [self.reasoning_details, self.tool_calls, self.function_call, self.images];
        let ([reasoning, thoughts, refusal], [details, tools, function, images]) =
            (texts.map(has_text), lists.map(is_filled));
        let sound = read::<Sound<'_>>(self.audio).is_some_and(|sound| sound.has_content());
        if !event.push_text(self.content) {
            event.push(PartKind::Other, has_text(self.content));
            event.opaque |= is_filled(self.content);
        }
        event.push(PartKind::Reasoning, reasoning || thoughts || details);
        event.push(PartKind::Refusal, refusal);
        event.push(PartKind::ToolCall, tools || function);
        event.push(PartKind::Other, images || sound);
        // A list without text, or audio that has only started, still counts as content.
        let blank = |raw| is_filled(raw) && !has_text(raw);
        event.opaque |=
            self.more || texts.into_iter().any(blank) || (is_filled(self.audio) && !sound);
        event.annotated |= is_filled(self.name);
        event.parts.len() > before
    }

    /// The text, or the arguments of the only tool call.
    fn plain_text(&self) -> Option<&'a str> {
        let text = [self.content, self.reasoning_content, self.reasoning].into_iter().find(is_text);
        let tool = || match read::<Vec<Tool<'_>>>(self.tool_calls)?.as_slice() {
            [Tool { function: Some(function) }] => Some(function.arguments).filter(is_text),
            _ => None,
        };
        text.or_else(tool).flatten().map(RawValue::get)
    }
}

// === impl Sound ===

impl Sound<'_> {
    fn has_content(&self) -> bool {
        is_filled(self.data) || is_filled(self.transcript)
    }
}

/// Whether a value is a text that is not empty.
fn is_text(value: &RawField<'_>) -> bool {
    value.is_some_and(|value| value.get().len() > 2 && value.get().starts_with('"'))
}

/// Whether a text, or a list of parts, has any text.
fn has_text(value: RawField<'_>) -> bool {
    if !value.is_some_and(|value| value.get().starts_with('[')) {
        return is_filled(value);
    }
    match read::<Vec<Part<'_>>>(value) {
        Some(parts) => parts.iter().any(|part| part.text.is_none() || is_filled(part.text)),
        None => is_filled(value),
    }
}

//! The JSON of an answer: a `chat.completion`, or one `chat.completion.chunk` of a stream. They differ in one word.

use serde_json::value::RawValue;

use crate::{
    events::{AnswerEvent, FinishReason, PartKind, UsageCounts},
    json::{RawField, Skipped, fields, is_filled, plain_str, read},
    outcome::{ErrorCodeTable, Outcome, Verdict, in_stream},
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
        /// Padding of OpenAI's, of another length in every chunk.
        obfuscation: RawField<'a>,
    }
}

fields! {
    pub(super) struct Choice<'a> {
        index: RawField<'a>,
        delta: Option<Piece<'a>>,
        /// Of an answer in one piece, and seldom of a stream.
        message: Option<Box<Piece<'a>>>,
        finish_reason: RawField<'a>,
        logprobs: RawField<'a>,
        error: RawField<'a>,
    }
}

fields! {
    /// A message, or a piece of one: all the places where content can stand.
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
    /// What is spoken. The first piece has but an id, the last but its expiry.
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
    }
}

// === impl Chunk ===

impl Chunk<'_> {
    /// The error that stands in its place, or in that of a choice. `json` is what it was read from.
    pub(super) fn error(&self, codes: &ErrorCodeTable, json: &[u8]) -> Option<Verdict> {
        let choices = self.choices.as_deref().unwrap_or_default();
        // Some servers fill the place of an error although there is none.
        let blank = !choices.is_empty() && !is_filled(self.error);
        let object = self.object.is_some_and(|object| object.get() == "\"error\"");
        if object || (self.error.is_some() && !blank) {
            return Some(in_stream(codes, json));
        }
        choices.iter().find_map(|choice| choice.error(codes))
    }

    /// The tokens, where it counts them.
    pub(super) fn usage(&self) -> Option<UsageCounts> {
        let cost: Cost<'_> = read(self.usage)?;
        let count = |raw| read(raw).unwrap_or_default();
        Some(UsageCounts::new(count(cost.prompt_tokens), count(cost.completion_tokens)))
    }
}

// === impl Choice ===

impl<'a> Choice<'a> {
    /// Its index, where it makes sense: the API takes 128 choices at most.
    pub(super) fn index(&self) -> u32 {
        read::<u32>(self.index).unwrap_or_default().min(127)
    }

    /// Why it ended, once it has.
    pub(super) fn finish(&self) -> Option<FinishReason> {
        is_filled(self.finish_reason).then(|| match plain_str(self.finish_reason) {
            "content_filter" => FinishReason::Filtered,
            "length" => FinishReason::Limit,
            "max_tokens" => FinishReason::Interrupted,
            _ => FinishReason::Complete,
        })
    }

    /// Adds its content.
    pub(super) fn add_to(&self, event: &mut AnswerEvent<'a>) {
        event.annotated |= is_filled(self.logprobs);
        let has_content = self.delta.as_ref().map(|delta| delta.add_to(event));
        match (&self.message, has_content) {
            (Some(message), None) => {
                message.add_to(event);
            }
            // Some servers send the whole message once more with the last piece of it.
            (Some(message), Some(false)) => {
                event.push(PartKind::Restated, message.add_to(&mut AnswerEvent::default()));
            }
            _ => {}
        }
    }

    /// Its text, or that of its one tool call, as it stands in the JSON: what differs from one chunk to the next.
    pub(super) fn plain_text(&self) -> Option<&'a str> {
        let pieces = [self.delta.as_ref(), self.message.as_deref()];
        pieces.into_iter().flatten().find_map(Piece::plain_text)
    }

    fn error(&self, codes: &ErrorCodeTable) -> Option<Verdict> {
        if is_filled(self.error) {
            let error = self.error.map_or("null", RawValue::get);
            return Some(in_stream(codes, format!("{{\"error\":{error}}}").as_bytes()));
        }
        let failed = plain_str(self.finish_reason) == "error";
        failed.then(|| Outcome::Unavailable { wait: None }.into())
    }
}

// === impl Piece ===

impl<'a> Piece<'a> {
    /// Adds its content. Whether there is anything for the caller: not a role, not an empty piece.
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
        // A list without a text, or a sound that is yet to come, is something all the same.
        let blank = |raw| is_filled(raw) && !has_text(raw);
        event.opaque |=
            self.more || texts.into_iter().any(blank) || (is_filled(self.audio) && !sound);
        event.annotated |= is_filled(self.name);
        event.parts.len() > before
    }

    /// Its text, or that of its one tool call.
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

/// Whether a value is text with anything in it.
fn is_text(value: &RawField<'_>) -> bool {
    value.is_some_and(|value| value.get().len() > 2 && value.get().starts_with('"'))
}

/// Whether text, or a list of parts, holds any.
fn has_text(value: RawField<'_>) -> bool {
    if !value.is_some_and(|value| value.get().starts_with('[')) {
        return is_filled(value);
    }
    match read::<Vec<Part<'_>>>(value) {
        Some(parts) => parts.iter().any(|part| part.text.is_none() || is_filled(part.text)),
        None => is_filled(value),
    }
}

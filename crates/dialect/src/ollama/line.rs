//! The JSON of an answer: one line of a stream, or the whole answer. Both have the same shape.

use crate::{
    event_json::WholeAnswer,
    events::{AnswerEvent, FinishReason, JsonText, PartKind, UsageCounts},
    json::{RawField, Skipped, fields, is_filled, is_true, plain_str, read},
};

fields! {
    pub(super) struct Line<'a> {
        model: RawField<'a>,
        error: RawField<'a>,
        message: Option<Message<'a>>,
        response: RawField<'a>,
        thinking: RawField<'a>,
        image: RawField<'a>,
        /// The tokens of a conversation, for its next request.
        context: RawField<'a>,
        done: RawField<'a>,
        done_reason: RawField<'a>,
        prompt_eval_count: RawField<'a>,
        eval_count: RawField<'a>,
    }
}

fields! {
    pub(super) struct Message<'a> {
        role: Skipped,
        content: RawField<'a>,
        thinking: RawField<'a>,
        tool_calls: RawField<'a>,
        images: RawField<'a>,
    } + more
}

// === impl Line ===

impl<'a> WholeAnswer<'a> for Line<'a> {
    fn is_error(&self) -> bool {
        is_filled(self.error)
    }

    /// The usage, where it is reported. A prompt that is cached from the last call is not counted.
    fn usage(&self) -> Option<UsageCounts> {
        let (input, output) = (read(self.prompt_eval_count), read(self.eval_count));
        let any = input.is_some() || output.is_some();
        any.then(|| UsageCounts::new(input.unwrap_or(0), output.unwrap_or(0)))
    }

    /// Adds the content of the line: text, thinking, a tool call, an image; and whether it is the last line.
    fn add_to(&self, event: &mut AnswerEvent<'a>) {
        event.model = JsonText::filled(self.model);
        event.usage = self.usage();
        self.message.iter().for_each(|message| message.add_to(event));
        text(event, PartKind::Completion, self.response);
        event.push(PartKind::Reasoning, is_filled(self.thinking));
        event.push(PartKind::Other, is_filled(self.image));
        event.annotated |= is_filled(self.context);
        if is_true(self.done) {
            match self.done_reason {
                None => event.push_finish(FinishReason::Complete),
                reason => event.push_finish_word(plain_str(reason)),
            }
            event.last = true;
        }
    }
}

impl Line<'_> {
    /// Whether more lines follow.
    pub(super) fn is_unfinished(&self) -> bool {
        self.done.is_some_and(|done| done.get() == "false")
    }
}

// === impl Message ===

impl<'a> Message<'a> {
    fn add_to(&self, event: &mut AnswerEvent<'a>) {
        text(event, PartKind::Text, self.content);
        event.push(PartKind::Reasoning, is_filled(self.thinking));
        event.push(PartKind::ToolCall, is_filled(self.tool_calls));
        event.push(PartKind::Other, is_filled(self.images));
        event.opaque |= self.more;
    }
}

fn text<'a>(event: &mut AnswerEvent<'a>, kind: PartKind, value: RawField<'a>) {
    if !event.push_text_as(kind, value) {
        event.push(PartKind::Other, is_filled(value));
    }
}

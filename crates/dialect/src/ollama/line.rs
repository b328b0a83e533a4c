//! The JSON of an answer: one line of a stream, or all of it at once. They are the same.

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
        /// The tokens of a conversation, to go on from.
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

    /// The tokens, where it counts them. A prompt that was kept from the last call is not counted.
    fn usage(&self) -> Option<UsageCounts> {
        let (input, output) = (read(self.prompt_eval_count), read(self.eval_count));
        let any = input.is_some() || output.is_some();
        any.then(|| UsageCounts::new(input.unwrap_or(0), output.unwrap_or(0)))
    }

    /// Adds what it holds: text, thinking, the call of a tool, a picture, and that it is the last.
    fn add_to(&self, event: &mut AnswerEvent<'a>) {
        event.model = JsonText::filled(self.model);
        event.usage = self.usage();
        self.message.iter().for_each(|message| message.add_to(event));
        text(event, PartKind::Completion, self.response);
        event.push(PartKind::Reasoning, is_filled(self.thinking));
        event.push(PartKind::Other, is_filled(self.image));
        event.annotated |= is_filled(self.context);
        if let Some(reason) = self.finish() {
            event.push_finish(reason);
            event.last = true;
        }
    }
}

impl<'a> Line<'a> {
    /// Why it ended, once it has. A model that was only loaded writes nothing.
    fn finish(&self) -> Option<FinishReason> {
        is_true(self.done).then(|| match plain_str(self.done_reason) {
            "stop" => FinishReason::Complete,
            "" if self.done_reason.is_none() => FinishReason::Complete,
            "length" | "load" | "unload" => FinishReason::Limit,
            _ => FinishReason::Interrupted,
        })
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

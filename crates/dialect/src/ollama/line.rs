//! The JSON of an answer: one line of a stream, or the whole answer. Both have the same shape.

use crate::{
    event_json::WholeAnswer,
    events::{AnswerEvent, FinishReason, JsonText, PartKind, UsageCounts},
    json::{Raw, Skipped, fields, is_filled, is_true, read, word},
};

fields! {
    pub(super) struct Line<'a> {
        model: Raw<'a>,
        error: Raw<'a>,
        message: Option<Message<'a>>,
        response: Raw<'a>,
        thinking: Raw<'a>,
        image: Raw<'a>,
        /// The tokens of a conversation, for its next request.
        context: Raw<'a>,
        done: Raw<'a>,
        done_reason: Raw<'a>,
        prompt_eval_count: Raw<'a>,
        eval_count: Raw<'a>,
    }
}

fields! {
    pub(super) struct Message<'a> {
        role: Skipped,
        content: Raw<'a>,
        thinking: Raw<'a>,
        tool_calls: Raw<'a>,
        images: Raw<'a>,
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
        if let Some(reason) = self.finish() {
            event.push_finish(reason);
            event.last = true;
        }
    }
}

impl<'a> Line<'a> {
    /// The finish reason, once there is one. A request that only loads the model has no content.
    fn finish(&self) -> Option<FinishReason> {
        is_true(self.done).then(|| match word(self.done_reason) {
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

fn text<'a>(event: &mut AnswerEvent<'a>, kind: PartKind, value: Raw<'a>) {
    if !event.push_text_as(kind, value) {
        event.push(PartKind::Other, is_filled(value));
    }
}

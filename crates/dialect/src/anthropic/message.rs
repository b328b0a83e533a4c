//! The JSON of an answer: a message, or one event of a stream.

use crate::{
    event_json::WholeAnswer,
    events::{AnswerEvent, JsonText, PartKind, ProviderTool, Structure, UsageCounts},
    json::{RawField, fields, is_filled, plain_str, read},
};

fields! {
    pub(super) struct Event<'a> {
        r#type: RawField<'a>,
        index: RawField<'a>,
        error: RawField<'a>,
        message: Option<Box<Message<'a>>>,
        content_block: Option<Block<'a>>,
        delta: Option<Delta<'a>>,
        usage: RawField<'a>,
        /// Chunks of other APIs have these.
        choices: RawField<'a>,
        candidates: RawField<'a>,
    }
}

fields! {
    pub(super) struct Message<'a> {
        id: RawField<'a>,
        r#type: RawField<'a>,
        model: RawField<'a>,
        error: RawField<'a>,
        content: Option<Vec<Block<'a>>>,
        stop_reason: RawField<'a>,
        usage: RawField<'a>,
    }
}

fields! {
    pub(super) struct Block<'a> {
        r#type: RawField<'a>,
        text: RawField<'a>,
        thinking: RawField<'a>,
        citations: RawField<'a>,
    }
}

fields! {
    /// The change to a block, or to the message.
    pub(super) struct Delta<'a> {
        r#type: RawField<'a>,
        text: RawField<'a>,
        thinking: RawField<'a>,
        partial_json: RawField<'a>,
        content: RawField<'a>,
        stop_reason: RawField<'a>,
    }
}

fields! {
    struct Counts<'a> {
        input_tokens: RawField<'a>,
        cache_creation_input_tokens: RawField<'a>,
        cache_read_input_tokens: RawField<'a>,
        output_tokens: RawField<'a>,
    }
}

// === impl Event ===

impl<'a> Event<'a> {
    pub(super) fn is_error(&self) -> bool {
        is_filled(self.error)
    }

    /// Adds the content of an event of that kind; `None` for a chunk of another API.
    pub(super) fn add_to(&self, kind: &str, event: &mut AnswerEvent<'a>) -> Option<()> {
        let index = self.index;
        match kind {
            "message_start" => {
                event.structure = Structure::MessageStart;
                self.message.iter().for_each(|message| message.add_content(event));
            }
            "content_block_start" => {
                let block = self.content_block.as_ref();
                let text = block.is_some_and(|block| plain_str(block.r#type) == "text");
                event.structure = Structure::BlockStart { index, text };
                // The block after the tool's block shows that the tool has ended.
                let running = block.is_some_and(Block::runs_tool);
                event.tool = Some(ProviderTool { running, progress: false });
                event.annotated |= read(index).is_some_and(|index: u64| index > 0);
                block.into_iter().for_each(|block| block.add_to(event));
            }
            "content_block_delta" => {
                event.structure = Structure::BlockDelta;
                self.delta.iter().for_each(|delta| delta.add_to(event));
            }
            "content_block_stop" => event.structure = Structure::BlockEnd,
            "message_delta" => {
                event.structure = Structure::MessageEnd;
                event.usage = usage(self.usage);
                let reason = self.delta.as_ref().and_then(|delta| delta.stop_reason);
                add_finish(event, reason);
            }
            "message_stop" => {
                event.structure = Structure::MessageEnd;
                event.last = true;
            }
            "ping" => event.ping = true,
            "" if is_filled(self.choices) || is_filled(self.candidates) => return None,
            // Kinds that are not known yet, and keep-alives without a kind.
            _ => {}
        }
        Some(())
    }
}

// === impl Message ===

impl<'a> WholeAnswer<'a> for Message<'a> {
    fn is_error(&self) -> bool {
        plain_str(self.r#type) == "error" || is_filled(self.error)
    }

    fn usage(&self) -> Option<UsageCounts> {
        usage(self.usage)
    }

    fn add_to(&self, event: &mut AnswerEvent<'a>) {
        self.add_content(event);
        add_finish(event, self.stop_reason);
    }
}

impl<'a> Message<'a> {
    /// Adds the content of a message, whole or at its start.
    fn add_content(&self, event: &mut AnswerEvent<'a>) {
        (event.id, event.model) = (JsonText::filled(self.id), JsonText::filled(self.model));
        event.usage = self.usage();
        let blocks = self.content.as_deref().unwrap_or_default();
        event.annotated |= blocks.len() > 1;
        blocks.iter().for_each(|block| block.add_to(event));
    }
}

// === impl Block ===

impl<'a> Block<'a> {
    /// Adds the content of the block. Text and thinking start empty; the start of any other block, such as a tool call, is
    /// content.
    fn add_to(&self, event: &mut AnswerEvent<'a>) {
        let (text, thinking) = (is_filled(self.text), is_filled(self.thinking));
        match plain_str(self.r#type) {
            "text" => {
                if !event.push_text(self.text) {
                    event.push(PartKind::Other, text);
                }
                event.push(PartKind::Reasoning, thinking);
                event.annotated |= is_filled(self.citations);
                return;
            }
            "thinking" => event.push(PartKind::Reasoning, text || thinking),
            "" => event.push(PartKind::Other, text || thinking),
            kind if kind.ends_with("tool_use") => event.push(PartKind::ToolCall, true),
            _ => event.push(PartKind::Other, true),
        }
        event.annotated = true;
    }

    /// Whether the provider runs a tool from this block until the next block starts.
    fn runs_tool(&self) -> bool {
        matches!(plain_str(self.r#type), "server_tool_use" | "mcp_tool_use")
    }
}

// === impl Delta ===

impl<'a> Delta<'a> {
    /// Adds the content of the delta. Signatures and citations are not content.
    fn add_to(&self, event: &mut AnswerEvent<'a>) {
        let text = plain_str(self.r#type) == "text_delta";
        event.annotated |= !text;
        if !(text && event.push_text(self.text)) {
            event.push(PartKind::Other, is_filled(self.text));
        }
        event.push(PartKind::Reasoning, is_filled(self.thinking));
        event.push(PartKind::ToolCall, is_filled(self.partial_json));
        event.push(PartKind::Other, is_filled(self.content));
    }
}

fn usage(usage: RawField<'_>) -> Option<UsageCounts> {
    let counts: Counts<'_> = read(usage)?;
    Some(UsageCounts {
        input: read(counts.input_tokens),
        cache_write: read(counts.cache_creation_input_tokens),
        cache_read: read(counts.cache_read_input_tokens),
        output: read(counts.output_tokens),
        ..UsageCounts::default()
    })
}

fn add_finish<'a>(event: &mut AnswerEvent<'a>, reason: RawField<'a>) {
    if is_filled(reason) {
        event.push_finish_word(plain_str(reason));
    }
}

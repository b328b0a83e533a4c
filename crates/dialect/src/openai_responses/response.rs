//! The JSON of an answer: a response, or one event of a stream.

use super::item::Item;
use crate::{
    event_json::WholeAnswer,
    events::{AnswerEvent, FinishReason, JsonText, PartKind, ProviderTool, UsageCounts},
    json::{RawField, fields, is_filled, is_ping, plain_str, read},
};

fields! {
    pub(super) struct Event<'a> {
        r#type: RawField<'a>,
        error: RawField<'a>,
        response: Option<Box<Answer<'a>>>,
        item: Option<Item<'a>>,
        delta: RawField<'a>,
        partial_image_b64: RawField<'a>,
        /// Chunks of other APIs have these.
        choices: RawField<'a>,
        candidates: RawField<'a>,
    }
}

fields! {
    /// A response, whole or in progress.
    pub(super) struct Answer<'a> {
        id: RawField<'a>,
        object: RawField<'a>,
        r#type: RawField<'a>,
        model: RawField<'a>,
        status: RawField<'a>,
        error: RawField<'a>,
        incomplete_details: Option<Details<'a>>,
        output: Option<Vec<Item<'a>>>,
        usage: RawField<'a>,
    }
}

fields! {
    pub(super) struct Details<'a> {
        reason: RawField<'a>,
    }
}

fields! {
    struct Counts<'a> {
        input_tokens: RawField<'a>,
        output_tokens: RawField<'a>,
        input_tokens_details: RawField<'a>,
        output_tokens_details: RawField<'a>,
    }
}

fields! {
    struct CountDetails<'a> {
        cached_tokens: RawField<'a>,
        reasoning_tokens: RawField<'a>,
    }
}

// === impl Event ===

impl<'a> Event<'a> {
    /// Whether an event of that kind is an error.
    pub(super) fn is_error(&self, kind: &str) -> bool {
        let failed = || self.response.as_ref().is_some_and(|answer| answer.is_error());
        matches!(kind, "error" | "response.failed")
            || is_filled(self.error)
            || (is_end(kind) && failed())
    }

    /// Adds the content of an event of that kind; `None` for a chunk of another API.
    pub(super) fn add_to(&self, kind: &str, event: &mut AnswerEvent<'a>) -> Option<()> {
        event.ping = is_ping(kind.as_bytes());
        match kind {
            "" if is_filled(self.choices) || is_filled(self.candidates) => return None,
            _ if is_end(kind) => {
                self.response.iter().for_each(|answer| answer.add_content(event));
                (event.snapshot, event.last) = (true, true);
            }
            // A stream that is cut has no other event with its id.
            "response.created" | "response.in_progress" => {
                self.response.iter().for_each(|answer| answer.add_names(event));
            }
            // A tool call is content before it has any input.
            "response.output_item.added" => {
                self.item.iter().for_each(|item| event.push(item.kind(), item.has_content()));
            }
            "response.output_item.done" => {
                let any = self.item.as_ref().is_some_and(Item::has_content);
                event.push(PartKind::Restated, any);
            }
            "response.output_text.delta" => {
                if !event.push_text(self.delta) {
                    event.push(PartKind::Other, is_filled(self.delta));
                }
            }
            // Text, reasoning, a refusal, the input of a tool.
            _ if kind.ends_with(".delta") => event.push(kind_of_delta(kind), is_filled(self.delta)),
            // An image; starts and ends of parts, and kinds that are not known yet.
            _ => event.push(PartKind::Other, is_filled(self.partial_image_b64)),
        }
        Some(())
    }
}

/// Whether an event of that kind is the last of a stream.
fn is_end(kind: &str) -> bool {
    matches!(kind, "response.completed" | "response.incomplete")
}

fn kind_of_delta(kind: &str) -> PartKind {
    match kind {
        "response.refusal.delta" => PartKind::Refusal,
        _ if kind.contains("reasoning") => PartKind::Reasoning,
        _ if kind.contains("_call") => PartKind::ToolCall,
        _ => PartKind::Other,
    }
}

/// The state of a provider's tool, by the kind of an event: `searching` of `response.web_search_call.searching` is one of its
/// steps.
pub(super) fn tool_step(kind: &str) -> Option<ProviderTool> {
    let (tool, step) = kind.strip_prefix("response.")?.split_once('.')?;
    let running = !matches!(step, "completed" | "failed" | "incomplete");
    let is_tool = tool.ends_with("_call") || tool == "mcp_list_tools";
    is_tool.then_some(ProviderTool { running, progress: true })
}

// === impl Answer ===

impl<'a> WholeAnswer<'a> for Answer<'a> {
    fn is_error(&self) -> bool {
        let error = plain_str(self.object) == "error" || plain_str(self.r#type) == "error";
        error || plain_str(self.status) == "failed" || is_filled(self.error)
    }

    /// The usage, where it is reported.
    fn usage(&self) -> Option<UsageCounts> {
        let cost: Counts<'_> = read(self.usage)?;
        let count = |raw| read(raw).unwrap_or_default();
        let input: CountDetails<'_> = read(cost.input_tokens_details).unwrap_or_default();
        let output: CountDetails<'_> = read(cost.output_tokens_details).unwrap_or_default();
        Some(UsageCounts {
            cache_read_of_input: read(input.cached_tokens),
            reasoning: read(output.reasoning_tokens),
            ..UsageCounts::new(count(cost.input_tokens), count(cost.output_tokens))
        })
    }

    fn add_to(&self, event: &mut AnswerEvent<'a>) {
        event.pending = self.is_pending();
        self.add_content(event);
    }
}

impl<'a> Answer<'a> {
    /// Whether the response is computed in the background: the caller fetches it later.
    fn is_pending(&self) -> bool {
        matches!(plain_str(self.status), "queued" | "in_progress")
    }

    /// Adds the id and the model.
    fn add_names(&self, event: &mut AnswerEvent<'a>) {
        (event.id, event.model) = (JsonText::filled(self.id), JsonText::filled(self.model));
    }

    /// Adds the content of a whole answer.
    fn add_content(&self, event: &mut AnswerEvent<'a>) {
        self.add_names(event);
        event.usage = self.usage();
        let items = self.output.as_deref().unwrap_or_default().iter();
        let parts: usize = items.map(|item| item.add_to(event)).sum();
        // Not annotated: exactly one text in one message.
        event.annotated |= parts != 1;
        let refused = event.parts.iter().any(|part| part.kind == PartKind::Refusal);
        let details = self.incomplete_details.as_ref().map(|details| details.reason);
        match (details.filter(|reason| is_filled(*reason)), plain_str(self.status)) {
            (Some(reason), _) => event.push_finish_word(plain_str(reason)),
            (None, "completed") if !refused => event.push_finish(FinishReason::Complete),
            // Some servers have no status.
            (None, "" | "completed" | "incomplete" | "queued" | "in_progress") => {
                event.push_finish(FinishReason::Interrupted);
            }
            (None, status) => event.push_finish_word(status),
        }
    }
}

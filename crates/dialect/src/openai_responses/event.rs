//! Parses the events of a stream, and an answer that was not streamed.

use super::response::{Answer, Event, tool_step};
use crate::{
    decode::RawEvent,
    event_json::{self, event_kind, named_event},
    events::AnswerEvent,
    outcome::{ErrorCodeTable, Verdict, in_stream},
};

/// Parses one event. The answer is whole at `response.completed` or `response.incomplete`.
pub(crate) fn read<'a>(codes: &ErrorCodeTable, raw: &RawEvent<'a>) -> AnswerEvent<'a> {
    named_event(codes, raw, |json: &Event<'a>, data| {
        let kind = event_kind(json.r#type, raw.name);
        let tool = tool_step(kind);
        if json.is_error(kind) {
            return AnswerEvent { tool, ..AnswerEvent::error(in_stream(codes, data)) };
        }
        let mut event = AnswerEvent { tool, ..AnswerEvent::default() };
        match json.add_to(kind, &mut event) {
            Some(()) => event,
            None => AnswerEvent::foreign(),
        }
    })
}

/// Parses an answer that was not streamed.
pub(crate) fn read_whole<'a>(
    codes: &ErrorCodeTable,
    body: &'a [u8],
) -> Result<AnswerEvent<'a>, Verdict> {
    event_json::read_whole::<Answer<'_>>(codes, body)
}

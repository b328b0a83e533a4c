//! Reads the events of a stream, and an answer that was not streamed.

use super::response::{Answer, Event, tool_step};
use crate::{
    decode::RawEvent,
    event_json::{named_event, parse},
    events::AnswerEvent,
    json::trim,
    outcome::{ErrorCodeTable, Verdict, in_stream},
};

/// Reads one event. The answer is whole at `response.completed` or `response.incomplete`.
pub(crate) fn read<'a>(codes: &ErrorCodeTable, raw: &RawEvent<'a>) -> AnswerEvent<'a> {
    named_event(codes, raw, |json: &Event<'a>, data| {
        let kind = json.kind(raw.name);
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

/// Reads an answer that was not streamed.
pub(crate) fn read_whole<'a>(
    codes: &ErrorCodeTable,
    body: &'a [u8],
) -> Result<AnswerEvent<'a>, Verdict> {
    let body = trim(body);
    let answer: Answer<'_> = parse(codes, body)?;
    if answer.is_error() {
        let error = AnswerEvent::error(in_stream(codes, body));
        return Ok(AnswerEvent { usage: answer.usage(), ..error });
    }
    let mut event = AnswerEvent { pending: answer.is_pending(), ..AnswerEvent::default() };
    answer.add_to(&mut event);
    Ok(event)
}

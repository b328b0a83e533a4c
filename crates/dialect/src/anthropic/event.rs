//! Reads the events of a stream, and an answer that was not streamed.

use super::message::{Event, Message};
use crate::{
    decode::RawEvent,
    event_json::{named_event, parse},
    events::AnswerEvent,
    json::trim,
    outcome::{ErrorCodeTable, Verdict, in_stream},
};

/// Reads one event. The answer is whole when the message has a stop reason, or at `message_stop`: each of the two may be missing.
pub(crate) fn read<'a>(codes: &ErrorCodeTable, raw: &RawEvent<'a>) -> AnswerEvent<'a> {
    named_event(codes, raw, |json: &Event<'a>, data| {
        let kind = json.kind(raw.name);
        if kind == "error" || json.is_error() {
            return AnswerEvent::error(in_stream(codes, data));
        }
        let mut event = AnswerEvent::default();
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
    let message: Message<'_> = parse(codes, body)?;
    if message.is_error() {
        let error = AnswerEvent::error(in_stream(codes, body));
        return Ok(AnswerEvent { usage: message.usage(), ..error });
    }
    let mut event = AnswerEvent::default();
    message.add_to(&mut event);
    message.finish().into_iter().for_each(|reason| event.push_finish(reason));
    Ok(event)
}

//! Parses the chunks of a stream, and an answer that was not streamed.

use super::{chunk::Chunk, fast_path::ChunkTemplate};
use crate::{
    decode::RawEvent,
    event_json::{parse, unread},
    events::{AnswerEvent, JsonText},
    json::{self, is_ping, trim_bom},
    outcome::{ErrorCodeTable, Verdict, in_stream},
};

/// Parses one chunk. `alike` records it as the template for the next.
pub(crate) fn read<'a>(
    codes: &ErrorCodeTable,
    raw: &RawEvent<'a>,
    alike: Option<&mut ChunkTemplate>,
) -> AnswerEvent<'a> {
    let data = trim_bom(raw.data);
    if raw.name == b"error" {
        return AnswerEvent::error(in_stream(codes, data));
    }
    if data.starts_with(b"[DONE]") {
        return AnswerEvent::end();
    }
    if data.is_empty() || is_ping(raw.name) {
        return AnswerEvent::default();
    }
    let chunk = match json::parse::<Chunk<'_>>(data) {
        Ok(chunk) => chunk,
        Err(error) => return unread(codes, data, &error),
    };
    let event = event(codes, &chunk, data);
    if let Some(alike) = alike.filter(|_| event.fault.is_none() && !event.parts.is_empty()) {
        alike.learn(&chunk, data);
    }
    event
}

/// Parses an answer that was not streamed.
pub(crate) fn read_whole<'a>(
    codes: &ErrorCodeTable,
    body: &'a [u8],
) -> Result<AnswerEvent<'a>, Verdict> {
    let body = trim_bom(body);
    Ok(event(codes, &parse(codes, body)?, body))
}

fn event<'a>(codes: &ErrorCodeTable, chunk: &Chunk<'a>, json: &[u8]) -> AnswerEvent<'a> {
    let mut event = AnswerEvent { usage: chunk.usage(), ..AnswerEvent::default() };
    if let Some(verdict) = chunk.error(codes, json) {
        return AnswerEvent { usage: event.usage, ..AnswerEvent::error(verdict) };
    }
    (event.id, event.model) = (JsonText::filled(chunk.id), JsonText::filled(chunk.model));
    for choice in chunk.choices.as_deref().unwrap_or_default() {
        let index = choice.index();
        event.choices |= 1 << index;
        choice.add_to(&mut event);
        choice.finish().into_iter().for_each(|finish| event.finishes.push(finish));
    }
    event
}

//! Parses the chunks of a stream, and an answer that was not streamed.

use super::chunk::Chunk;
use crate::{
    decode::RawEvent,
    event_json::{self, WholeAnswer, unread},
    events::AnswerEvent,
    json::{self, trim_bom},
    outcome::{ErrorCodeTable, Verdict, in_stream},
};

/// Parses one chunk. The answer is whole when every candidate seen has a finish reason, or when the prompt was blocked. There is
/// no sentinel: later data, such as the usage, may follow until the bytes end.
pub(crate) fn read<'a>(codes: &ErrorCodeTable, raw: &RawEvent<'a>) -> AnswerEvent<'a> {
    let data = trim_bom(raw.data);
    // Some translating gateways end every stream as OpenAI does.
    if data.is_empty() || (data == b"[DONE]" && raw.name != b"error") {
        return AnswerEvent::default();
    }
    match json::parse::<Chunk<'_>>(data) {
        Ok(chunk) if chunk.is_error() => AnswerEvent::error(in_stream(codes, data)),
        _ if raw.name == b"error" => AnswerEvent::error(in_stream(codes, data)),
        Ok(chunk) => {
            let mut event = AnswerEvent::default();
            chunk.add_to(&mut event);
            event
        }
        Err(error) => unread(codes, data, &error),
    }
}

/// Parses an answer that was not streamed.
pub(crate) fn read_whole<'a>(
    codes: &ErrorCodeTable,
    body: &'a [u8],
) -> Result<AnswerEvent<'a>, Verdict> {
    event_json::read_whole::<Chunk<'_>>(codes, body)
}

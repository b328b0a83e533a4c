//! Parses the lines of a stream, and an answer that was not streamed.

use super::line::Line;
use crate::{
    decode::RawEvent,
    event_json::{self, WholeAnswer, unread},
    events::AnswerEvent,
    json::{self, trim_bom},
    outcome::{ErrorCodeTable, Verdict, in_stream},
};

/// Parses one line. The answer is whole at the line with `"done":true`.
pub(crate) fn read<'a>(codes: &ErrorCodeTable, raw: &RawEvent<'a>) -> AnswerEvent<'a> {
    let data = trim_bom(raw.data);
    if data.is_empty() {
        return AnswerEvent::default();
    }
    match json::parse::<Line<'_>>(data) {
        Ok(line) if line.is_error() => AnswerEvent::error(in_stream(codes, data)),
        Ok(line) => {
            let mut event = AnswerEvent::default();
            line.add_to(&mut event);
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
    event_json::read_whole::<Line<'_>>(codes, body)
}

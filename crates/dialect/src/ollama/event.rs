//! Parses the lines of a stream, and an answer that was not streamed.

use super::line::Line;
use crate::{
    decode::RawEvent,
    event_json::{self, WholeAnswer, unread},
    events::AnswerEvent,
    json::{self, trim_bom},
    outcome::{ErrorCodeTable, Outcome, Verdict, in_stream},
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

/// Whether a line names itself as one that is not the last.
fn is_unfinished(body: &[u8]) -> bool {
    json::parse::<Line<'_>>(trim_bom(body)).is_ok_and(|line| line.is_unfinished())
}

/// Parses an answer that was not streamed.
pub(crate) fn read_whole<'a>(
    codes: &ErrorCodeTable,
    body: &'a [u8],
) -> Result<AnswerEvent<'a>, Verdict> {
    let event = event_json::read_whole::<Line<'_>>(codes, body)?;
    // A line of a stream: the lines after it are missing.
    let cut = event.fault.is_none() && event.finishes.is_empty() && is_unfinished(body);
    if cut { Err(Outcome::Truncated.into()) } else { Ok(event) }
}

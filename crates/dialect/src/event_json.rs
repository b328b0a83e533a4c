//! The JSON of an event, and of an answer that was not streamed, in any dialect.

use serde::Deserialize;
use serde_json::error::Category;

use crate::{
    decode::RawEvent,
    events::{AnswerEvent, UsageCounts},
    json::{self, RawField, fields, is_filled, is_ping, plain_str, trim_bom},
    outcome::{ErrorCodeTable, Outcome, Verdict, in_stream},
};

fields! {
    struct Listed<'a> {
        error: RawField<'a>,
    }
}

/// The JSON of an answer that was not streamed.
pub(crate) trait WholeAnswer<'a>: Deserialize<'a> {
    /// Whether it is an error.
    fn is_error(&self) -> bool;

    /// The usage, where it is reported.
    fn usage(&self) -> Option<UsageCounts>;

    /// Adds the content of the answer, and its finish reason.
    fn add_to(&self, event: &mut AnswerEvent<'a>);
}

/// Parses an answer that was not streamed. An error keeps its reported usage.
pub(crate) fn read_whole<'a, T: WholeAnswer<'a>>(
    codes: &ErrorCodeTable,
    body: &'a [u8],
) -> Result<AnswerEvent<'a>, Verdict> {
    let body = trim_bom(body);
    let answer: T = parse(codes, body)?;
    if answer.is_error() {
        let error = AnswerEvent::error(in_stream(codes, body));
        return Ok(AnswerEvent { usage: answer.usage(), ..error });
    }
    let mut event = AnswerEvent::default();
    answer.add_to(&mut event);
    Ok(event)
}

/// The kind of an event: its `type`, or the name of its frame if it has no type.
pub(crate) fn event_kind<'a>(r#type: RawField<'a>, name: &'a [u8]) -> &'a str {
    match plain_str(r#type) {
        "" => std::str::from_utf8(name).unwrap_or_default(),
        kind => kind,
    }
}

/// Parses the JSON of an answer, or returns the verdict on a body without an answer. White space around it was trimmed.
pub(crate) fn parse<'a, T: Deserialize<'a>>(
    codes: &ErrorCodeTable,
    body: &'a [u8],
) -> Result<T, Verdict> {
    if body.is_empty() {
        return Err(Outcome::Empty.into());
    }
    json::parse(body).map_err(|error| {
        let cut = error.classify() == Category::Eof && matches!(body.first(), Some(b'{' | b'['));
        let outcome = if cut { Outcome::Truncated } else { Outcome::Malformed };
        listed_error(codes, body).unwrap_or_else(|| outcome.into())
    })
}

/// The event of data that was not parsed as an event of its dialect.
///
/// Gateways put keep-alives into the data of events (`null`, a number, `: keepalive`), and clients skip them, so data that is not
/// an object is an event without content, as is an object of an unknown shape. An object that is not valid JSON is a failure.
pub(crate) fn unread<'a>(
    codes: &ErrorCodeTable,
    data: &[u8],
    error: &serde_json::Error,
) -> AnswerEvent<'a> {
    if !data.starts_with(b"{") {
        return listed_error(codes, data).map_or_else(AnswerEvent::default, AnswerEvent::error);
    }
    if error.classify() != Category::Data {
        return AnswerEvent::unreadable(Outcome::Malformed.into());
    }
    match json::parse::<Listed<'_>>(data) {
        Ok(object) if is_filled(object.error) => AnswerEvent::error(in_stream(codes, data)),
        Ok(_) => AnswerEvent::default(),
        // The JSON is broken after the value of the wrong type.
        Err(_) => AnswerEvent::unreadable(Outcome::Malformed.into()),
    }
}

/// The error of `[{"error":…}]`, as some gateways wrap it.
fn listed_error(codes: &ErrorCodeTable, json: &[u8]) -> Option<Verdict> {
    let list: Vec<Listed<'_>> = serde_json::from_slice(json).ok()?;
    list.iter().any(|item| is_filled(item.error)).then(|| in_stream(codes, json))
}

/// Parses an event of a dialect with named events.
pub(crate) fn named_event<'a, T: Deserialize<'a>>(
    codes: &ErrorCodeTable,
    raw: &RawEvent<'a>,
    read: impl FnOnce(&T, &'a [u8]) -> AnswerEvent<'a>,
) -> AnswerEvent<'a> {
    let data = trim_bom(raw.data);
    if raw.name == b"error" {
        return AnswerEvent::error(in_stream(codes, data));
    }
    let ping = is_ping(raw.name);
    // Some translating gateways end every stream as a chat completion ends.
    if data.is_empty() || ping || data.starts_with(b"[DONE]") {
        return AnswerEvent { ping, ..AnswerEvent::default() };
    }
    match json::parse(data) {
        Ok(json) => read(&json, data),
        Err(error) => unread(codes, data, &error),
    }
}

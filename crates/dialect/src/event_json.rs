//! The JSON of an event, and of an answer that was not streamed, in any dialect.

use serde::Deserialize;
use serde_json::error::Category;

use crate::{
    decode::RawEvent,
    events::AnswerEvent,
    json::{self, Raw, fields, is_filled, is_ping, trim},
    outcome::{ErrorCodeTable, Outcome, Verdict, in_stream},
};

fields! {
    struct Listed<'a> {
        error: Raw<'a>,
    }
}

/// The answer in a body, or why there is none. The body has no white space before it any more.
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

/// The verdict on data that is no event of its dialect: some servers send an error in a list.
pub(crate) fn unread(codes: &ErrorCodeTable, data: &[u8]) -> Verdict {
    listed_error(codes, data).unwrap_or_else(|| Outcome::Malformed.into())
}

/// The error of `[{"error":…}]`, as some gateways wrap it.
fn listed_error(codes: &ErrorCodeTable, json: &[u8]) -> Option<Verdict> {
    let list: Vec<Listed<'_>> = serde_json::from_slice(json).ok()?;
    list.iter().any(|item| is_filled(item.error)).then(|| in_stream(codes, json))
}

/// Reads an event of a dialect whose events have names, by its JSON and the bytes of that.
pub(crate) fn named_event<'a, T: Deserialize<'a>>(
    codes: &ErrorCodeTable,
    raw: &RawEvent<'a>,
    read: impl FnOnce(&T, &'a [u8]) -> AnswerEvent<'a>,
) -> AnswerEvent<'a> {
    let data = trim(raw.data);
    if raw.name == b"error" {
        return AnswerEvent::error(in_stream(codes, data));
    }
    let ping = is_ping(raw.name);
    // Gateways that translate end every stream in the manner of chat completions.
    if data.is_empty() || ping || data.starts_with(b"[DONE]") {
        return AnswerEvent { ping, ..AnswerEvent::default() };
    }
    match json::parse(data) {
        Ok(json) => read(&json, data),
        Err(_) => AnswerEvent::unreadable(unread(codes, data)),
    }
}

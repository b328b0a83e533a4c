//! Reads an answer that was not streamed, in any dialect.

use serde::Deserialize;
use serde_json::error::Category;

use crate::json::{Raw, fields, is_filled};
use crate::outcome::{ErrorCodeTable, Outcome, Verdict, in_stream};

fields! {
    struct Listed<'a> {
        error: Raw<'a>,
    }
}

/// The answer in a body, or why there is none. The body has no white space before it any more.
pub(super) fn parse<'a, T: Deserialize<'a>>(
    codes: &ErrorCodeTable,
    body: &'a [u8],
) -> Result<T, Verdict> {
    if body.is_empty() {
        return Err(Outcome::Empty.into());
    }
    serde_json::from_slice(body).map_err(|error| {
        let cut = error.classify() == Category::Eof && matches!(body.first(), Some(b'{' | b'['));
        let outcome = if cut { Outcome::Truncated } else { Outcome::Malformed };
        listed_error(codes, body).unwrap_or_else(|| outcome.into())
    })
}

/// What the data of an event says that is none of its dialect: some servers send an error in a list.
pub(super) fn unread(codes: &ErrorCodeTable, data: &[u8]) -> Verdict {
    listed_error(codes, data).unwrap_or_else(|| Outcome::Malformed.into())
}

/// The error of `[{"error":…}]`, as some gateways wrap it.
fn listed_error(codes: &ErrorCodeTable, json: &[u8]) -> Option<Verdict> {
    let list: Vec<Listed<'_>> = serde_json::from_slice(json).ok()?;
    list.iter().any(|item| is_filled(item.error)).then(|| in_stream(codes, json))
}

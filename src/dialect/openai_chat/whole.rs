//! Judges an answer that was not streamed.

#[cfg(test)]
mod tests;

use serde_json::{error::Category, value::RawValue};

use super::chunk::Chunk;
use crate::{
    classify::{Outcome, Verdict, in_stream},
    dialect::{
        Tokens,
        json::{fields, is_filled, trim},
    },
};

fields! {
    struct Listed<'a> {
        error: Option<&'a RawValue>,
    }
}

/// What a whole answer came to, which may be blocked, or why it is none; and what it cost. White space before it is how
/// some servers keep a connection open.
pub(crate) fn check(body: &[u8]) -> (Result<Outcome, Verdict>, Option<Tokens>) {
    let body = trim(body);
    if body.is_empty() {
        return (Err(Outcome::Empty.into()), None);
    }
    match serde_json::from_slice::<Chunk<'_>>(body) {
        Ok(answer) => (judge(&answer, body), answer.tokens()),
        Err(error) => (Err(unread(body, error.classify())), None),
    }
}

fn judge(answer: &Chunk<'_>, body: &[u8]) -> Result<Outcome, Verdict> {
    if let Some(verdict) = answer.error(body) {
        return Err(verdict);
    }
    let choices = answer.choices.as_deref().unwrap_or_default();
    let finished = |reason| choices.iter().any(|choice| choice.finish() == Some(reason));
    // A limit: the caller's own came before the first word, as when reasoning has used it up.
    if choices.iter().any(|choice| choice.has_content()) || finished("\"length\"") {
        Ok(Outcome::Success)
    } else if finished("\"content_filter\"") {
        Ok(Outcome::Blocked)
    } else {
        Err(Outcome::Empty.into())
    }
}

fn unread(body: &[u8], why: Category) -> Verdict {
    let cut = why == Category::Eof && matches!(body.first(), Some(b'{' | b'['));
    let outcome = if cut { Outcome::Truncated } else { Outcome::Malformed };
    listed_error(body).unwrap_or_else(|| outcome.into())
}

/// The error of `[{"error":…}]`, as some gateways wrap it.
pub(super) fn listed_error(json: &[u8]) -> Option<Verdict> {
    let list: Vec<Listed<'_>> = serde_json::from_slice(json).ok()?;
    list.iter().any(|item| is_filled(item.error)).then(|| in_stream(json))
}

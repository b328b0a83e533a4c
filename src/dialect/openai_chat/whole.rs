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

/// What a whole answer came to, and what it cost. White space before it is how some servers keep a connection open.
pub(crate) fn check(body: &[u8]) -> (Verdict, Option<Tokens>) {
    let body = trim(body);
    if body.is_empty() {
        return (Outcome::Empty.into(), None);
    }
    match serde_json::from_slice::<Chunk<'_>>(body) {
        Ok(answer) => (verdict(&answer, body), answer.tokens()),
        Err(error) => (unread(body, error.classify()), None),
    }
}

fn verdict(answer: &Chunk<'_>, body: &[u8]) -> Verdict {
    if let Some(verdict) = answer.error(body) {
        return verdict;
    }
    let choices = answer.choices.as_deref().unwrap_or_default();
    let finished = |reason| choices.iter().any(|choice| choice.finish() == Some(reason));
    let outcome = if choices.iter().any(|choice| choice.has_content()) {
        Outcome::Success
    } else if finished("\"content_filter\"") {
        Outcome::Blocked
    } else if finished("\"length\"") {
        // The caller's own limit came before the first word, as when reasoning has used it up.
        Outcome::Success
    } else {
        Outcome::Empty
    };
    outcome.into()
}

fn unread(body: &[u8], why: Category) -> Verdict {
    if let Some(verdict) = listed_error(body) {
        return verdict;
    }
    match why {
        Category::Eof if matches!(body[0], b'{' | b'[') => Outcome::Truncated.into(),
        _ => Outcome::Malformed.into(),
    }
}

/// The error of `[{"error":…}]`, as some gateways wrap it.
pub(super) fn listed_error(json: &[u8]) -> Option<Verdict> {
    let list: Vec<Listed<'_>> = serde_json::from_slice(json).ok()?;
    list.iter().any(|item| is_filled(item.error)).then(|| in_stream(json))
}

//! Judges an answer that was not streamed.

#[cfg(test)]
mod tests;

use super::chunk::Chunk;
use crate::{
    Tokens,
    json::trim,
    outcome::{Outcome, Verdict},
    progress::{Expected, Progress},
    unary::parse,
};

/// What a whole answer came to, which may be blocked, or why it is none; and what it cost. White space before it is how
/// some servers keep a connection open.
pub(crate) fn check(
    expected: impl Into<Expected>,
    body: &[u8],
) -> (Result<Outcome, Verdict>, Option<Tokens>) {
    let (body, progress) = (trim(body), Progress::new(expected.into()));
    match parse::<Chunk<'_>>(progress.codes(), body) {
        Ok(answer) => (judge(progress, &answer, body), answer.tokens()),
        Err(why) => (Err(why), None),
    }
}

fn judge(mut progress: Progress, answer: &Chunk<'_>, body: &[u8]) -> Result<Outcome, Verdict> {
    if let Some(verdict) = answer.error(progress.codes(), body) {
        return Err(verdict);
    }
    for choice in answer.choices.as_deref().unwrap_or_default() {
        progress.has_content(choice.has_content());
        choice.finish().into_iter().for_each(|reason| progress.reason(reason));
    }
    progress.answer()
}

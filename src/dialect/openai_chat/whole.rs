//! Judges an answer that was not streamed.

#[cfg(test)]
mod tests;

use super::chunk::Chunk;
use crate::{
    classify::{Codes, Outcome, Verdict},
    dialect::{Tokens, json::trim, progress::Progress, whole::parse},
};

/// What a whole answer came to, which may be blocked, or why it is none; and what it cost. White space before it is how
/// some servers keep a connection open.
pub(crate) fn check(codes: &Codes, body: &[u8]) -> (Result<Outcome, Verdict>, Option<Tokens>) {
    let body = trim(body);
    match parse::<Chunk<'_>>(codes, body) {
        Ok(answer) => (judge(codes, &answer, body), answer.tokens()),
        Err(why) => (Err(why), None),
    }
}

fn judge(codes: &Codes, answer: &Chunk<'_>, body: &[u8]) -> Result<Outcome, Verdict> {
    if let Some(verdict) = answer.error(codes, body) {
        return Err(verdict);
    }
    let mut progress = Progress::default();
    for choice in answer.choices.as_deref().unwrap_or_default() {
        progress.has_content(choice.has_content());
        choice.finish().into_iter().for_each(|reason| progress.reason(reason));
    }
    progress.answer()
}

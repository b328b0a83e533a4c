//! Follows a stream of chunks to its end, and judges an answer that was not streamed.

use super::chunk::Chunk;
use crate::{
    FrameSummary, Tokens,
    json::trim,
    outcome::{Outcome, Verdict, in_stream},
    progress::{Expected, Finish, Progress},
    unary::parse,
};

/// Reads the chunks of one stream.
///
/// It is whole when every candidate that was seen has a finish reason, or when the prompt was blocked. There is no
/// sentinel: what comes after that, such as the cost, comes before the bytes are over.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    /// One bit for each candidate.
    seen: u32,
    finished: u32,
    progress: Progress,
}

// === impl Follower ===

impl Follower {
    pub(crate) fn new(expected: impl Into<Expected>) -> Self {
        Self { progress: Progress::new(expected.into()), ..Self::default() }
    }

    pub(crate) fn event(&mut self, name: &[u8], data: &[u8], seen: &mut FrameSummary) {
        let data = trim(data);
        if self.progress.is_over() || data.is_empty() {
            return;
        }
        match serde_json::from_slice::<Chunk<'_>>(data) {
            Ok(chunk) if chunk.is_error() || name == b"error" => {
                self.progress.error(data, seen);
            }
            Ok(chunk) => self.chunk(&chunk, seen),
            Err(_) if name == b"error" => self.progress.error(data, seen),
            // Gateways that translate end every stream in the manner of OpenAI.
            Err(_) if data == b"[DONE]" => {}
            Err(_) => self.progress.unread(data, seen),
        }
    }

    /// The array is closed: nothing more comes.
    pub(crate) fn end(&mut self, seen: &mut FrameSummary) {
        if self.progress.is_over() {
            return;
        }
        match self.progress.outcome() {
            // Closed, and yet nothing ended: cut by whoever closed it.
            Outcome::Truncated => seen.fail(Outcome::Truncated.into()),
            _ => self.progress.end(seen),
        }
    }

    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    fn chunk(&mut self, chunk: &Chunk<'_>, seen: &mut FrameSummary) {
        self.progress.tokens = chunk.tokens().or(self.progress.tokens);
        for candidate in chunk.candidates() {
            let bit = 1 << candidate.index();
            self.seen |= bit;
            if let Some(reason) = candidate.finish() {
                self.finished |= bit;
                self.progress.reason(reason);
            }
        }
        self.progress.finished = self.seen != 0 && self.seen & !self.finished == 0;
        if chunk.is_blocked() {
            self.progress.finish(Finish::Filtered);
        }
        if chunk.candidates().iter().any(|candidate| candidate.has_content()) {
            self.progress.content(seen);
        }
    }
}

/// What a whole answer came to, which may be blocked, or why it is none; and what it cost.
pub(crate) fn check(
    expected: impl Into<Expected>,
    body: &[u8],
) -> (Result<Outcome, Verdict>, Option<Tokens>) {
    let (body, mut progress) = (trim(body), Progress::new(expected.into()));
    let answer = match parse::<Chunk<'_>>(progress.codes(), body) {
        Ok(answer) => answer,
        Err(why) => return (Err(why), None),
    };
    if answer.is_error() {
        return (Err(in_stream(progress.codes(), body)), answer.tokens());
    }
    for candidate in answer.candidates() {
        progress.has_content(candidate.has_content());
        candidate.finish().into_iter().for_each(|reason| progress.reason(reason));
    }
    if answer.is_blocked() {
        progress.reason(Finish::Filtered);
    }
    (progress.answer(), answer.tokens())
}

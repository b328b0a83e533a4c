//! Follows a stream of lines to its end, and judges an answer that was not streamed.

use super::line::Line;
use crate::{
    FrameSummary, Tokens,
    json::trim,
    outcome::{Outcome, Verdict, in_stream},
    progress::{Expected, Progress},
    unary::parse,
};

/// Reads the lines of one stream. It is whole at the line that says that it is done.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    progress: Progress,
}

// === impl Follower ===

impl Follower {
    pub(crate) fn new(expected: impl Into<Expected>) -> Self {
        Self { progress: Progress::new(expected.into()) }
    }

    pub(crate) fn event(&mut self, data: &[u8], seen: &mut FrameSummary) {
        let data = trim(data);
        if self.progress.is_over() || data.is_empty() {
            return;
        }
        match serde_json::from_slice::<Line<'_>>(data) {
            Ok(line) if line.is_error() => self.progress.error(data, seen),
            Ok(line) => self.line(&line, seen),
            Err(_) => self.progress.unread(data, seen),
        }
    }

    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    fn line(&mut self, line: &Line<'_>, seen: &mut FrameSummary) {
        self.progress.tokens = line.tokens().or(self.progress.tokens);
        if line.has_content() {
            self.progress.content(seen);
        }
        if let Some(finish) = line.finish() {
            self.progress.finish(finish);
            self.progress.end(seen);
        }
    }
}

/// What a whole answer came to, or why it is none; and what it cost.
pub(crate) fn check(
    expected: impl Into<Expected>,
    body: &[u8],
) -> (Result<Outcome, Verdict>, Option<Tokens>) {
    let (body, mut progress) = (trim(body), Progress::new(expected.into()));
    let line = match parse::<Line<'_>>(progress.codes(), body) {
        Ok(line) => line,
        Err(why) => return (Err(why), None),
    };
    if line.is_error() {
        return (Err(in_stream(progress.codes(), body)), line.tokens());
    }
    progress.has_content(line.has_content());
    line.finish().into_iter().for_each(|finish| progress.reason(finish));
    (progress.answer(), line.tokens())
}

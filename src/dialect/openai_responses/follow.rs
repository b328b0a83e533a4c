//! Follows a stream of events to its end, and judges an answer that was not streamed.

use super::response::{Answer, Event};
use crate::{
    classify::{Codes, Outcome, Verdict, in_stream},
    dialect::{
        Tokens,
        json::{is_filled, trim},
        progress::Progress,
        whole::parse,
    },
    stream::Seen,
};

/// Reads the events of one stream. It is whole at `response.completed` or `response.incomplete`.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    progress: Progress,
}

// === impl Follower ===

impl Follower {
    pub(crate) fn new(codes: &Codes) -> Self {
        Self { progress: Progress::new(codes) }
    }

    pub(crate) fn event(&mut self, name: &[u8], data: &[u8], seen: &mut Seen) {
        if let Some(event) = self.progress.next((name, data), seen) {
            self.read(&event, (name, trim(data)), seen);
        }
    }

    pub(in crate::dialect) fn progress(&self) -> &Progress {
        &self.progress
    }

    fn read(&mut self, event: &Event<'_>, (name, data): (&[u8], &[u8]), seen: &mut Seen) {
        let kind = event.kind(name);
        match kind {
            "error" | "response.failed" => self.progress.error(data, seen),
            _ if is_filled(event.error) => self.progress.error(data, seen),
            "response.completed" | "response.incomplete" => {
                match &event.response {
                    Some(answer) if answer.is_error() => {
                        return self.progress.error(data, seen);
                    }
                    Some(answer) => answer.tell(&mut self.progress),
                    None => {}
                }
                self.progress.end(seen);
            }
            "" => self.progress.fail(Outcome::Malformed.into(), seen),
            _ if event.has_content(kind) => self.progress.content(seen),
            // Beginnings and ends of parts, and what is yet to be invented.
            _ => {}
        }
    }
}

/// What a whole answer came to, which may be blocked, or why it is none; and what it cost.
pub(crate) fn check(codes: &Codes, body: &[u8]) -> (Result<Outcome, Verdict>, Option<Tokens>) {
    let body = trim(body);
    let answer = match parse::<Answer<'_>>(codes, body) {
        Ok(answer) => answer,
        Err(why) => return (Err(why), None),
    };
    if answer.is_error() {
        return (Err(in_stream(codes, body)), answer.tokens());
    }
    if answer.is_pending() {
        return (Ok(Outcome::Success), None);
    }
    let mut progress = Progress::default();
    answer.tell(&mut progress);
    (progress.answer(), answer.tokens())
}

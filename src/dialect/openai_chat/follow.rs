//! Follows a stream of chunks to its end.

#[cfg(test)]
mod tests;

use super::{chunk::Chunk, plain::Plain};
use crate::{
    classify::{Outcome, Verdict, in_stream},
    dialect::{Tokens, json::trim},
    stream::Seen,
};

/// Reads the chunks of one stream.
///
/// It is whole when every choice that was seen has a finish reason, or at `[DONE]`: each of the two may be missing.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    /// One bit for each choice.
    seen: u128,
    finished: u128,
    content: bool,
    filtered: bool,
    limited: bool,
    over: bool,
    tokens: Option<Tokens>,
    plain: Plain,
}

/// Events that only keep the connection open. What they say need not be JSON.
const PINGS: [&[u8]; 4] = [b"ping", b"keepalive", b"keep-alive", b"heartbeat"];

// === impl Follower ===

impl Follower {
    pub(crate) fn event(&mut self, name: &[u8], data: &[u8], seen: &mut Seen) {
        if self.over {
            return;
        }
        if name.is_empty() && self.plain.is_like(data) {
            self.content(seen);
            return;
        }
        let data = trim(data);
        if name == b"error" {
            self.fail(in_stream(data), seen);
        } else if data.starts_with(b"[DONE]") {
            self.end(seen);
        } else if !data.is_empty() && !PINGS.contains(&name) {
            match serde_json::from_slice::<Chunk<'_>>(data) {
                Ok(chunk) => self.chunk(&chunk, data, seen),
                Err(_) => self.fail(unread(data), seen),
            }
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    pub(crate) fn outcome(&self) -> Outcome {
        let finished = self.seen != 0 && self.seen & !self.finished == 0;
        match (self.over || finished, self.content || self.limited) {
            (false, _) => Outcome::Truncated,
            (true, true) => Outcome::Success,
            (true, false) if self.filtered => Outcome::Blocked,
            (true, false) => Outcome::Empty,
        }
    }

    pub(crate) fn tokens(&self) -> Option<Tokens> {
        self.tokens
    }

    fn chunk(&mut self, chunk: &Chunk<'_>, data: &[u8], seen: &mut Seen) {
        if let Some(verdict) = chunk.error(data) {
            return self.fail(verdict, seen);
        }
        self.tokens = chunk.tokens().or(self.tokens);
        let choices = chunk.choices.as_deref().unwrap_or_default();
        for choice in choices {
            let bit = 1 << choice.index();
            self.seen |= bit;
            if let Some(reason) = choice.finish() {
                self.finished |= bit;
                self.filtered |= reason == "\"content_filter\"";
                // The caller's own limit came before the first word, as when reasoning has used it up.
                self.limited |= reason == "\"length\"";
            }
        }
        if choices.iter().any(|choice| choice.has_content()) {
            self.content(seen);
            self.plain.learn(chunk, data);
        }
    }

    fn content(&mut self, seen: &mut Seen) {
        self.content = true;
        seen.content += 1;
    }

    /// The last word of the API.
    fn end(&mut self, seen: &mut Seen) {
        self.over = true;
        if self.outcome() == Outcome::Empty {
            seen.fail(Outcome::Empty.into());
        }
    }

    /// An error, unless the answer was whole already: then it changes nothing.
    fn fail(&mut self, verdict: Verdict, seen: &mut Seen) {
        if !self.outcome().is_success() {
            seen.fail(verdict);
        }
    }
}

/// What data that is no chunk says: some servers send an error in a list.
fn unread(data: &[u8]) -> Verdict {
    super::whole::listed_error(data).unwrap_or_else(|| Outcome::Malformed.into())
}

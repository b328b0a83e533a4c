//! Follows a stream of chunks to its end.

#[cfg(test)]
mod tests;

use super::{chunk::Chunk, plain::Plain};
use crate::{
    FrameSummary,
    json::{is_ping, trim},
    progress::{Expected, Progress},
};

/// Reads the chunks of one stream.
///
/// It is whole when every choice that was seen has a finish reason, or at `[DONE]`: each of the two may be missing.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    /// One bit for each choice.
    seen: u128,
    finished: u128,
    progress: Progress,
    plain: Plain,
}

// === impl Follower ===

impl Follower {
    pub(crate) fn new(expected: impl Into<Expected>) -> Self {
        Self { progress: Progress::new(expected.into()), ..Self::default() }
    }

    pub(crate) fn event(&mut self, name: &[u8], data: &[u8], seen: &mut FrameSummary) {
        if self.progress.is_over() {
            return;
        }
        if name.is_empty() && self.plain.is_like(data) {
            self.progress.content(seen);
            return;
        }
        let data = trim(data);
        if name == b"error" {
            self.progress.error(data, seen);
        } else if data.starts_with(b"[DONE]") {
            self.progress.end(seen);
        } else if !data.is_empty() && !is_ping(name) {
            match serde_json::from_slice::<Chunk<'_>>(data) {
                Ok(chunk) => self.chunk(&chunk, data, seen),
                Err(_) => self.progress.unread(data, seen),
            }
        }
    }

    /// What comes after an event at the beginning that is like the last one: as if it had been told of it.
    pub(crate) fn short<'a>(
        &mut self,
        data: &'a [u8],
        seen: &mut FrameSummary,
    ) -> Option<&'a [u8]> {
        let rest = self.plain.after(data)?.strip_prefix(b"\n\n")?;
        self.progress.content(seen);
        Some(rest)
    }

    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    fn chunk(&mut self, chunk: &Chunk<'_>, data: &[u8], seen: &mut FrameSummary) {
        if let Some(verdict) = chunk.error(self.progress.codes(), data) {
            return self.progress.fail(verdict, seen);
        }
        self.progress.tokens = chunk.tokens().or(self.progress.tokens);
        let choices = chunk.choices.as_deref().unwrap_or_default();
        for choice in choices {
            let bit = 1 << choice.index();
            self.seen |= bit;
            if let Some(reason) = choice.finish() {
                self.finished |= bit;
                self.progress.reason(reason);
            }
        }
        self.progress.finished = self.seen != 0 && self.seen & !self.finished == 0;
        if choices.iter().any(|choice| choice.has_content()) {
            self.progress.content(seen);
            self.plain.learn(chunk, data);
        }
    }
}

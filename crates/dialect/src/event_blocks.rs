//! Splits a stream into its events, each with its bytes and what it has.

#[cfg(test)]
mod tests;

use bytes::{Bytes, BytesMut};

use crate::{Dialect, Expected, StreamMonitor, decode::EventBoundary, outcome::Outcome};

/// One event of a stream, with its framing, or a part that has no event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventBlock {
    /// The bytes.
    pub bytes: Bytes,
    /// Whether it has content: text, reasoning, a tool call.
    pub content: bool,
    /// Whether the answer is complete with it, but for what the API sends at the very end.
    pub finish: bool,
    /// Whether it is the last event of the API, such as `[DONE]`.
    pub last: bool,
}

/// Splits a stream into its events. The bytes of all blocks together are those of the stream.
///
/// ```
/// use evenkeel_dialect::{Dialect, EventBlocks, Expected};
///
/// let mut blocks = EventBlocks::new(Dialect::OpenAiChat, Expected::default());
/// let mut seen = Vec::new();
/// let chunk = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
/// blocks.push(format!("{chunk}{chunk}data: [DO").into(), |block| seen.push(block));
/// assert_eq!(seen.len(), 2);
/// assert!(seen.iter().all(|block| block.content && block.bytes == chunk));
/// assert_eq!(blocks.finish().expect("the rest").bytes, "data: [DO");
/// ```
#[derive(Debug)]
pub struct EventBlocks {
    boundary: EventBoundary,
    monitor: StreamMonitor,
    held: BytesMut,
}

// === impl EventBlocks ===

impl EventBlocks {
    /// The largest event that is held, in bytes: 1 MiB. A larger one is split.
    pub const MAX_HELD: usize = 1024 * 1024;

    /// Splits a stream of that dialect.
    pub fn new(dialect: Dialect, expected: impl Into<Expected>) -> Self {
        Self {
            boundary: EventBoundary::new(dialect.framing()),
            monitor: StreamMonitor::new(dialect, expected),
            held: BytesMut::new(),
        }
    }

    /// Adds the next bytes, and calls `each` with every event that ends in them.
    pub fn push(&mut self, mut data: Bytes, mut each: impl FnMut(EventBlock)) {
        while !data.is_empty() {
            let Some(end) = self.boundary.next(&data) else { break };
            let end = data.split_to(end);
            let bytes = match self.held.is_empty() {
                true => end,
                false => {
                    self.held.extend_from_slice(&end);
                    self.held.split().freeze()
                }
            };
            each(self.block(bytes));
        }
        self.held.extend_from_slice(&data);
        if self.held.len() > Self::MAX_HELD {
            let part = self.held.split().freeze();
            each(self.block(part));
        }
    }

    /// The stream has ended: returns the rest, if there is one.
    pub fn finish(&mut self) -> Option<EventBlock> {
        let rest = self.held.split().freeze();
        (!rest.is_empty()).then(|| self.block(rest))
    }

    fn block(&mut self, bytes: Bytes) -> EventBlock {
        let (whole, over) = self.state();
        let seen = self.monitor.feed(&bytes);
        let (is_whole, is_over) = self.state();
        EventBlock {
            bytes,
            content: seen.content > 0,
            finish: is_whole && !whole,
            last: is_over && !over,
        }
    }

    /// Whether the answer is complete, and whether its last event has been read.
    fn state(&self) -> (bool, bool) {
        (self.monitor.outcome() != Outcome::Truncated, self.monitor.is_over())
    }
}

//! Follows a stream of events to its end, and judges an answer that was not streamed.

use super::message::{Cost, Event, Message};
use crate::{
    FrameSummary, Tokens,
    json::{is_filled, is_ping, trim},
    outcome::{Outcome, Verdict, in_stream},
    progress::{Expected, Progress},
    unary::parse,
};

/// Reads the events of one stream.
///
/// It is whole when the message has a stop reason, or at `message_stop`: each of the two may be missing.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    progress: Progress,
    cost: Cost,
    /// A tool of the provider is at work.
    tool: bool,
}

// === impl Follower ===

impl Follower {
    pub(crate) fn new(expected: impl Into<Expected>) -> Self {
        Self { progress: Progress::new(expected.into()), ..Self::default() }
    }

    pub(crate) fn event(&mut self, name: &[u8], data: &[u8], seen: &mut FrameSummary) {
        // While a tool is at work nothing else tells that the provider is.
        seen.works |= self.tool && is_ping(name);
        if let Some(event) = self.progress.next((name, data), seen) {
            self.read(&event, (name, trim(data)), seen);
        }
    }

    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    fn read(&mut self, event: &Event<'_>, (name, data): (&[u8], &[u8]), seen: &mut FrameSummary) {
        let kind = event.kind(name);
        if kind == "error" || is_filled(event.error) {
            return self.progress.error(data, seen);
        }
        let mut content = false;
        match kind {
            "message_start" => {
                let Some(message) = &event.message else { return };
                content = message.has_content();
                self.learn(message.usage);
            }
            "content_block_start" => {
                content = event.content_block.as_ref().is_some_and(|block| block.has_content());
                // The block after it is the sign that the tool is done.
                seen.works |= self.tool;
                self.tool = event.content_block.as_ref().is_some_and(|block| block.runs_tool());
            }
            "content_block_delta" => {
                content = event.delta.as_ref().is_some_and(|delta| delta.has_content());
            }
            "message_delta" => {
                self.learn(event.usage);
                let finish = event.delta.as_ref().and_then(|delta| delta.finish(&self.cost));
                finish.into_iter().for_each(|finish| self.progress.finish(finish));
            }
            "message_stop" => self.progress.end(seen),
            "ping" => seen.works |= self.tool,
            "" => self.progress.fail(Outcome::Malformed.into(), seen),
            // Ends of blocks, and what is yet to be invented.
            _ => {}
        }
        if content {
            self.progress.content(seen);
        }
    }

    fn learn(&mut self, usage: crate::json::Raw<'_>) {
        self.cost.learn(usage);
        self.progress.tokens = self.cost.tokens();
    }
}

/// What a whole answer came to, which may be blocked, or why it is none; and what it cost.
pub(crate) fn check(
    expected: impl Into<Expected>,
    body: &[u8],
) -> (Result<Outcome, Verdict>, Option<Tokens>) {
    let (body, mut progress) = (trim(body), Progress::new(expected.into()));
    let message = match parse::<Message<'_>>(progress.codes(), body) {
        Ok(message) => message,
        Err(why) => return (Err(why), None),
    };
    let mut cost = Cost::default();
    cost.learn(message.usage);
    if message.is_error() {
        return (Err(in_stream(progress.codes(), body)), cost.tokens());
    }
    progress.has_content(message.has_content());
    message.finish(&cost).into_iter().for_each(|finish| progress.reason(finish));
    (progress.answer(), cost.tokens())
}

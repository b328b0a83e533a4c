//! Follows a stream of events to its end, and judges an answer that was not streamed.

use super::response::{Answer, Event};
use crate::{
    FrameSummary, Tokens,
    json::{is_filled, is_ping, trim},
    outcome::{Outcome, Verdict, in_stream},
    progress::{Expected, Progress},
    unary::parse,
};

/// Reads the events of one stream. It is whole at `response.completed` or `response.incomplete`.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    progress: Progress,
    /// A tool of the provider is at work.
    tool: bool,
}

// === impl Follower ===

impl Follower {
    pub(crate) fn new(expected: impl Into<Expected>) -> Self {
        Self { progress: Progress::new(expected.into()), tool: false }
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
        if let Some(step) = tool_step(kind) {
            self.tool = !matches!(step, "completed" | "failed" | "incomplete");
            seen.works = true;
        }
        seen.works |= self.tool && is_ping(kind.as_bytes());
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

/// The step of a tool of the provider that an event tells: `searching` of `response.web_search_call.searching`.
fn tool_step(kind: &str) -> Option<&str> {
    let (tool, step) = kind.strip_prefix("response.")?.split_once('.')?;
    (tool.ends_with("_call") || tool == "mcp_list_tools").then_some(step)
}

/// What a whole answer came to, which may be blocked, or why it is none; and what it cost.
pub(crate) fn check(
    expected: impl Into<Expected>,
    body: &[u8],
) -> (Result<Outcome, Verdict>, Option<Tokens>) {
    let (body, mut progress) = (trim(body), Progress::new(expected.into()));
    let answer = match parse::<Answer<'_>>(progress.codes(), body) {
        Ok(answer) => answer,
        Err(why) => return (Err(why), None),
    };
    if answer.is_error() {
        return (Err(in_stream(progress.codes(), body)), answer.tokens());
    }
    if answer.is_pending() {
        return (Ok(Outcome::Success), None);
    }
    answer.tell(&mut progress);
    (progress.answer(), answer.tokens())
}

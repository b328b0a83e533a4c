//! The state of an answer while it arrives: its content, outcome and usage, folded from its events.

use crate::{
    AnswerInfo, Expected, FrameSummary, Usage,
    events::{AnswerEvent, FinishReason, ProviderTool, UsageCounts},
    outcome::{Code, ErrorCodeTable, Outcome, Verdict},
};

/// The state of an answer while it arrives.
#[derive(Debug, Default)]
pub(crate) struct AnswerState {
    codes: ErrorCodeTable,
    may_be_empty: bool,
    /// The number of choices that were asked for.
    wanted: u32,
    /// Whether usage is to follow the finish reason.
    wants_usage: bool,
    usage: UsageCounts,
    /// The id, the model and the finish reasons.
    info: AnswerInfo,
    content: bool,
    /// The choices seen, and the choices that have ended: one bit for each choice.
    seen: u128,
    ended: u128,
    /// Whether an event with nothing but usage followed the content, and no content followed that.
    billed: bool,
    /// Whether the answer has a finish reason: it is whole, and the API may send more.
    finished: bool,
    /// Whether the content filter or the model refused.
    filtered: bool,
    /// Whether the answer is whole without content: the caller's limit or stop sequence came first, or the model ended its turn.
    limited: bool,
    over: bool,
    /// The failure that a finish reason stands for.
    broken: Option<Box<Verdict>>,
    /// Whether a tool of the provider is running.
    tool: bool,
}

// === impl AnswerState ===

impl AnswerState {
    /// The state before the first event.
    pub(crate) fn new(expected: &Expected) -> Self {
        let Expected { codes, may_be_empty, choices, usage } = expected.clone();
        Self { codes, may_be_empty, wanted: choices, wants_usage: usage, ..Self::default() }
    }

    /// Adds an event of a stream.
    pub(crate) fn add(&mut self, event: &AnswerEvent<'_>, seen: &mut FrameSummary) {
        if self.over {
            return;
        }
        self.tool(event, seen);
        self.info.add_names(event);
        if let Some(fault) = &event.fault {
            return self.fail(fault.verdict(), seen);
        }
        if !event.parts.is_empty() {
            (self.content, self.billed) = (true, false);
            // A snapshot at the end shows no progress.
            seen.content += u32::from(!event.snapshot);
        }
        self.finish(event);
        match &self.broken {
            Some(verdict) => seen.fail(Verdict::clone(verdict)),
            None if event.last => self.end(seen),
            None => {}
        }
    }

    /// Adds a number of events that have content and nothing else that is new.
    pub(crate) fn add_content(&mut self, events: u32, seen: &mut FrameSummary) {
        self.content |= events > 0;
        self.billed &= events == 0;
        seen.content += events;
    }

    /// Classifies an answer that was not streamed: `Ok` with a success or a block, or the verdict on its failure.
    pub(crate) fn judge(
        mut self,
        event: &AnswerEvent<'_>,
    ) -> (Result<Outcome, Verdict>, AnswerInfo) {
        self.info.add_names(event);
        self.content = !event.parts.is_empty();
        self.finish(event);
        self.finished = event.choices == 0 || self.has_all(event.choices);
        self.over = true;
        let judged = match (&event.fault, self.outcome()) {
            (Some(fault), _) => Err(fault.verdict().clone()),
            (None, _) if event.pending => return (Ok(Outcome::Success), self.info),
            (None, _) if self.broken.is_some() => {
                Err(self.broken.take().map_or_else(unfinished, |it| *it))
            }
            (None, outcome @ (Outcome::Success | Outcome::Blocked)) => Ok(outcome),
            (None, other) => Err(other.into()),
        };
        (judged, self.info())
    }

    /// The framing of the stream has ended, such as a JSON array: there are no more events.
    pub(crate) fn close(&mut self, seen: &mut FrameSummary) {
        match self.outcome() {
            _ if self.over => {}
            // The framing ended before the answer did.
            Outcome::Truncated => seen.fail(Outcome::Truncated.into()),
            _ => self.end(seen),
        }
    }

    /// Whether the last event of the API has arrived. Later events are ignored.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// The outcome of the answer if nothing more arrives: truncated until the API's own end has been seen.
    pub(crate) fn outcome(&self) -> Outcome {
        if let Some(verdict) = &self.broken {
            return verdict.outcome();
        }
        let ended = self.finished || (self.over && (self.seen == 0 || self.has_all(self.seen)));
        match (ended, self.content || self.limited) {
            // With fewer choices than were asked for.
            (false, _) if self.over => Outcome::Unfinished,
            (false, _) => Outcome::Truncated,
            (true, true) => Outcome::Success,
            (true, false) if self.filtered => Outcome::Blocked,
            (true, false) => Outcome::Empty,
        }
    }

    /// The usage of the answer, once an event has reported it.
    pub(crate) fn tokens(&self) -> Option<Usage> {
        self.usage.tokens()
    }

    /// The facts of the answer so far.
    pub(crate) fn info(&self) -> AnswerInfo {
        AnswerInfo { usage: self.tokens(), ..self.info.clone() }
    }

    fn tool(&mut self, event: &AnswerEvent<'_>, seen: &mut FrameSummary) {
        // While a tool is running, a ping is the only sign of the provider's progress.
        seen.works |= self.tool && event.ping;
        if let Some(ProviderTool { running, progress }) = event.tool {
            seen.works |= progress || self.tool;
            self.tool = running;
        }
    }

    /// Records the usage and the finish reasons of an event.
    fn finish(&mut self, event: &AnswerEvent<'_>) {
        if let Some(usage) = event.usage {
            self.usage.add(usage);
        }
        let whole = self.outcome().is_success();
        self.seen |= event.choices;
        for finish in event.finishes.iter() {
            if self.ends_now(finish.choice) {
                self.info.add_finish(finish.name());
            }
            let reason =
                self.codes.finish_class(finish.word).map_or(finish.reason, FinishReason::from);
            self.reason(reason);
            // A reason after a whole answer changes nothing.
            self.broken =
                self.broken.take().or_else(|| failure(reason, finish.word).filter(|_| !whole));
        }
        if event.choices != 0 {
            self.finished = self.seen & !self.ended == 0 && self.has_all(self.ended);
        } else if event.usage.is_some() && event.parts.is_empty() {
            self.billed |= self.seen != 0 && self.content;
        }
    }

    /// Records that a choice, or the answer as a whole, has ended. Returns whether that is new: some servers repeat the reason.
    fn ends_now(&mut self, choice: Option<u32>) -> bool {
        let Some(choice) = choice else {
            return !std::mem::replace(&mut self.finished, true);
        };
        let before = self.ended;
        self.ended |= 1 << choice;
        self.ended != before
    }

    /// Whether these choices are as many as were asked for.
    fn has_all(&self, choices: u128) -> bool {
        choices.count_ones() >= self.wanted
    }

    /// Whether the answer is whole, and its usage, which was asked for, has not arrived.
    pub(crate) fn awaits_usage(&self) -> bool {
        self.wants_usage && !self.over && self.usage.tokens().is_none()
    }

    /// The bytes have ended in order. Some servers send no finish reason at all: with their usage an answer is whole.
    pub(crate) fn end_in_order(&mut self) {
        self.finished |= self.billed && self.ended == 0 && self.has_all(self.seen);
    }

    fn reason(&mut self, reason: FinishReason) {
        let limited = match reason {
            FinishReason::StopSequence | FinishReason::Limit => true,
            FinishReason::EndOfTurn => self.is_of_the_end_alone(),
            FinishReason::Complete
            | FinishReason::Filtered
            | FinishReason::Interrupted
            | FinishReason::Failed
            | FinishReason::Unknown => false,
        };
        self.filtered |= reason == FinishReason::Filtered;
        self.limited |= limited || self.may_be_empty;
    }

    /// Whether the answer has no more tokens than the end of a turn takes: a model with nothing to add, as after the result of a
    /// tool, ends its turn at once.
    fn is_of_the_end_alone(&self) -> bool {
        self.usage.output.is_some_and(|output| (1..=3).contains(&output))
    }

    /// The last event of the API.
    fn end(&mut self, seen: &mut FrameSummary) {
        self.over = true;
        if let outcome @ (Outcome::Empty | Outcome::Unfinished) = self.outcome() {
            seen.fail(outcome.into());
        }
    }

    /// Records an error. An error after a whole answer changes nothing.
    fn fail(&mut self, verdict: &Verdict, seen: &mut FrameSummary) {
        if !self.outcome().is_success() {
            seen.fail(verdict.clone());
        }
    }
}

/// The failure that a finish reason stands for, with the provider's word as its code.
fn failure(reason: FinishReason, word: &str) -> Option<Box<Verdict>> {
    let outcome = match reason {
        FinishReason::Failed => Outcome::Unavailable { wait: None },
        FinishReason::Unknown => Outcome::Unfinished,
        _ => return None,
    };
    // A reason may be followed by an explanation, which is not kept.
    let code = Code::new(word.split(':').next().unwrap_or_default().trim());
    let unknown = reason == FinishReason::Unknown;
    Some(Box::new(Verdict::new(outcome).with_code(code).by_finish_reason(unknown)))
}

fn unfinished() -> Verdict {
    Outcome::Unfinished.into()
}

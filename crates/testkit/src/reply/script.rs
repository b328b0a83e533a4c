//! The steps by which an answer is sent.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

/// One step of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ScriptStep {
    /// No connection is made.
    Refuse,
    /// The connection is reset.
    Reset,
    /// Nothing is sent for that time.
    Wait(Duration),
    Head(Box<ReplyHead>),
    Data(Bytes),
    /// Nothing more is sent, and the connection stays open.
    Hang,
    /// The connection closes before the end of the body.
    Cut,
    /// The end of the body.
    End,
    /// The same bytes, `left` times, each after a wait of `every`.
    Repeat {
        data: Bytes,
        every: Duration,
        left: u32,
    },
}

/// The head of an answer. `length` is known where the answer is not streamed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ReplyHead {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) length: Option<u64>,
}

/// The remaining steps of an answer.
#[derive(Debug)]
pub(crate) struct Script(VecDeque<ScriptStep>);

// === impl Script ===

impl Script {
    pub(crate) fn new(steps: impl IntoIterator<Item = ScriptStep>) -> Self {
        let is_empty = |step: &ScriptStep| matches!(step, ScriptStep::Wait(wait) if wait.is_zero());
        Self(steps.into_iter().filter(|step| !is_empty(step)).collect())
    }

    /// Whether nothing remains but the end of the body.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.0.front(), None | Some(ScriptStep::End))
    }
}

impl Iterator for Script {
    type Item = ScriptStep;

    fn next(&mut self) -> Option<ScriptStep> {
        let (data, every, left) = match self.0.pop_front()? {
            ScriptStep::Repeat { left: 0, .. } => return self.next(),
            ScriptStep::Repeat { data, every, left } => (data, every, left - 1),
            step => return Some(step),
        };
        self.0.push_front(ScriptStep::Repeat { data: data.clone(), every, left });
        self.0.push_front(ScriptStep::Data(data));
        Some(ScriptStep::Wait(every))
    }
}

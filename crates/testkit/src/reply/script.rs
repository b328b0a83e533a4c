//! What is done to answer, step by step.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// No connection is made.
    Refuse,
    /// The connection is reset.
    Reset,
    Wait(Duration),
    Head(Box<Head>),
    Data(Bytes),
    /// Nothing more comes, and the connection stays open.
    Hang,
    /// The connection closes although the body is not at its end.
    Cut,
    /// The body is at its end.
    End,
    /// The same bytes again and again.
    Pulse {
        data: Bytes,
        every: Duration,
        left: u32,
    },
}

/// The head of an answer. `length` is told beforehand where the answer is not streamed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) length: Option<u64>,
}

/// The steps that are left.
#[derive(Debug)]
pub(crate) struct Script(VecDeque<Step>);

// === impl Script ===

impl Script {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        let idle = |step: &Step| matches!(step, Step::Wait(wait) if wait.is_zero());
        Self(steps.into_iter().filter(|step| !idle(step)).collect())
    }

    /// Whether nothing is left but the good end.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.0.front(), None | Some(Step::End))
    }
}

impl Iterator for Script {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let (data, every, left) = match self.0.pop_front()? {
            Step::Pulse { left: 0, .. } => return self.next(),
            Step::Pulse { data, every, left } => (data, every, left - 1),
            step => return Some(step),
        };
        self.0.push_front(Step::Pulse { data: data.clone(), every, left });
        self.0.push_front(Step::Data(data));
        Some(Step::Wait(every))
    }
}

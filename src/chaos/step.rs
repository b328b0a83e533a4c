//! The steps by which a damaged body is delivered.

use std::{collections::VecDeque, io, time::Duration};

use bytes::Bytes;
use http_body::Frame;

/// One step of a body.
#[derive(Debug)]
pub(super) enum Step {
    Frame(Frame<Bytes>),
    /// Nothing for that time.
    Wait(Duration),
    /// Nothing more, and no end.
    Hang,
    /// The body fails after that time.
    Fail {
        after: Duration,
        kind: io::ErrorKind,
    },
    /// The same bytes again and again, each after a wait. `left`: how often; `None` is without end.
    Repeat {
        data: Bytes,
        every: Duration,
        left: Option<u32>,
    },
    /// The bytes in pieces of `size`, each after a wait.
    Drip {
        data: Bytes,
        size: usize,
        every: Duration,
    },
    /// The body ends in order.
    End,
}

/// The steps that are still to be delivered.
#[derive(Debug, Default)]
pub(super) struct Steps(VecDeque<Step>);

/// What a step does once its wait is over.
#[derive(Debug)]
pub(super) enum Delivered {
    Frame(Frame<Bytes>),
    Nothing,
    Failed(io::ErrorKind),
    Ended,
}

// === impl Step ===

impl Step {
    /// The wait before the step.
    fn wait(&self) -> Duration {
        match self {
            Self::Frame(_) | Self::End => Duration::ZERO,
            Self::Hang => Duration::MAX,
            Self::Wait(wait) | Self::Fail { after: wait, .. } => *wait,
            Self::Repeat { every, .. } | Self::Drip { every, .. } => *every,
        }
    }

    /// The step when faults have ended: its own bytes without a wait, or nothing. What has no wait is under way already. A text in
    /// which a part was repeated is wrong, and must not end as a whole answer.
    fn harmless(self) -> Option<Self> {
        match self {
            Self::Drip { data, .. } => Some(Self::data(data)),
            Self::Repeat { left: None, .. } => {
                Some(Self::Fail { after: Duration::ZERO, kind: io::ErrorKind::UnexpectedEof })
            }
            Self::Repeat { .. } => None,
            step if step.wait().is_zero() => Some(step),
            _ => None,
        }
    }

    pub(super) fn data(data: Bytes) -> Self {
        Self::Frame(Frame::data(data))
    }
}

// === impl Steps ===

impl Steps {
    pub(super) fn push(&mut self, step: Step) {
        self.0.push_back(step);
    }

    pub(super) fn push_data(&mut self, data: Bytes) {
        if !data.is_empty() {
            self.push(Step::data(data));
        }
    }

    /// The wait before the next step; `None` if there is no step.
    pub(super) fn next_wait(&self) -> Option<Duration> {
        self.0.front().map(Step::wait)
    }

    /// Delivers the next step, whose wait is over.
    pub(super) fn deliver(&mut self) -> Delivered {
        match self.0.pop_front() {
            None | Some(Step::Wait(_) | Step::Hang | Step::Repeat { left: Some(0), .. }) => {
                Delivered::Nothing
            }
            Some(Step::Frame(frame)) => Delivered::Frame(frame),
            Some(Step::Fail { kind, .. }) => Delivered::Failed(kind),
            Some(Step::End) => Delivered::Ended,
            Some(Step::Repeat { data, every, left }) => {
                let left = left.map(|left| left - 1);
                self.0.push_front(Step::Repeat { data: data.clone(), every, left });
                Delivered::Frame(Frame::data(data))
            }
            Some(Step::Drip { mut data, size, every }) => {
                let piece = data.split_to(size.min(data.len()));
                if !data.is_empty() {
                    self.0.push_front(Step::Drip { data, size, every });
                }
                Delivered::Frame(Frame::data(piece))
            }
        }
    }

    /// Removes every fault that has not begun.
    pub(super) fn calm(&mut self) {
        let steps = std::mem::take(&mut self.0);
        self.0 = steps.into_iter().filter_map(Step::harmless).collect();
    }
}

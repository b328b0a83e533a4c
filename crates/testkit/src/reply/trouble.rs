//! What goes wrong with the way in which an answer comes.

use std::time::Duration;

use bytes::Bytes;
use http::header;

use crate::reply::{Fault, Step, plan::EVENTS};

// === impl Fault ===

impl Fault {
    /// Changes how an answer comes.
    pub(super) fn trouble(&self, steps: Vec<Step>) -> Vec<Step> {
        match self {
            Self::ResetAfter { bytes } => reset_after(steps, *bytes),
            Self::Drip { bytes, every } => drip(steps, (*bytes).max(1), *every),
            Self::Comments { every, count } => comments(steps, *every, *count),
            _ => steps,
        }
    }
}

fn reset_after(steps: Vec<Step>, mut left: usize) -> Vec<Step> {
    let mut kept = Vec::new();
    for step in steps {
        match step {
            Step::Data(data) if data.len() > left => {
                kept.push(Step::Data(data.slice(..left)));
                break;
            }
            Step::Data(data) => {
                left -= data.len();
                kept.push(Step::Data(data));
            }
            Step::End | Step::Cut => break,
            step => kept.push(step),
        }
    }
    kept.push(Step::Reset);
    kept
}

fn drip(steps: Vec<Step>, size: usize, every: Duration) -> Vec<Step> {
    let mut dripping = Vec::new();
    for step in steps {
        let Step::Data(mut data) = step else {
            dripping.push(step);
            continue;
        };
        while !data.is_empty() {
            dripping.push(Step::Wait(every));
            dripping.push(Step::Data(data.split_to(size.min(data.len()))));
        }
    }
    dripping
}

fn comments(mut steps: Vec<Step>, every: Duration, left: u32) -> Vec<Step> {
    let Some(at) = steps.iter().position(|step| matches!(step, Step::Head(_))) else {
        return steps;
    };
    let events = match &steps[at] {
        Step::Head(head) => head.headers.get(header::CONTENT_TYPE) == Some(&EVENTS),
        _ => false,
    };
    let data = Bytes::from_static(if events { b": keep-alive\n\n" } else { b"\n" });
    steps.insert(at + 1, Step::Pulse { data, every, left });
    steps
}

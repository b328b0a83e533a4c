//! Faults in the delivery of an answer: in how its bytes are sent, not in what they are.

use std::time::Duration;

use bytes::Bytes;
use http::header;

use crate::reply::{Fault, ScriptStep, plan::EVENTS};

// === impl Fault ===

impl Fault {
    /// Applies a fault of the delivery; every other fault returns the steps as they are.
    pub(super) fn apply_to_delivery(&self, steps: Vec<ScriptStep>) -> Vec<ScriptStep> {
        match self {
            Self::ResetAfter { bytes } => reset_after(steps, *bytes),
            Self::Drip { bytes, every } => drip(steps, (*bytes).max(1), *every),
            Self::Comments { every, count } => comments(steps, *every, *count),
            _ => steps,
        }
    }
}

fn reset_after(steps: Vec<ScriptStep>, mut left: usize) -> Vec<ScriptStep> {
    let mut kept = Vec::new();
    for step in steps {
        match step {
            ScriptStep::Data(data) if data.len() > left => {
                kept.push(ScriptStep::Data(data.slice(..left)));
                break;
            }
            ScriptStep::Data(data) => {
                left -= data.len();
                kept.push(ScriptStep::Data(data));
            }
            ScriptStep::End | ScriptStep::Cut => break,
            step => kept.push(step),
        }
    }
    kept.push(ScriptStep::Reset);
    kept
}

fn drip(steps: Vec<ScriptStep>, size: usize, every: Duration) -> Vec<ScriptStep> {
    let mut dripping = Vec::new();
    for step in steps {
        let ScriptStep::Data(mut data) = step else {
            dripping.push(step);
            continue;
        };
        while !data.is_empty() {
            dripping.push(ScriptStep::Wait(every));
            dripping.push(ScriptStep::Data(data.split_to(size.min(data.len()))));
        }
    }
    dripping
}

fn comments(mut steps: Vec<ScriptStep>, every: Duration, left: u32) -> Vec<ScriptStep> {
    let Some(at) = steps.iter().position(|step| matches!(step, ScriptStep::Head(_))) else {
        return steps;
    };
    let events = match &steps[at] {
        ScriptStep::Head(head) => head.headers.get(header::CONTENT_TYPE) == Some(&EVENTS),
        _ => false,
    };
    let data = Bytes::from_static(if events { b": keep-alive\n\n" } else { b"\n" });
    steps.insert(at + 1, ScriptStep::Repeat { data, every, left });
    steps
}

//! From a reply and a request to the steps that answer it.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::reply::{
    Api, Facts, Fault, Head, Reply, Script, Step,
    answer::{Answer, Kind, Part, json, prefix},
    policy::{Pace, What},
};

/// A body in parts, how it ends, and how long everything takes.
pub(super) struct Plan<'a> {
    status: StatusCode,
    headers: HeaderMap,
    parts: Vec<Part>,
    end: Vec<Step>,
    sized: bool,
    pace: Pace,
    text: &'a str,
    api: Api,
    faults: &'a [Fault],
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
pub(super) const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");

// === impl Plan ===

impl<'a> Plan<'a> {
    pub(super) fn of(reply: &'a Reply, asked: &Facts, name: &str) -> Self {
        let stream = asked.stream && !reply.faults.contains(&Fault::NotStreamed);
        let facts = &Facts { stream, ..asked.clone() };
        let mut headers = reply.headers.clone();
        headers.entry(header::CONTENT_TYPE).or_insert(if stream { EVENTS } else { JSON });
        if let Ok(name) = HeaderValue::try_from(name) {
            headers.insert("x-served-by", name);
        }
        let mut plan = Self {
            status: StatusCode::OK,
            headers,
            parts: Vec::new(),
            end: vec![Step::End],
            sized: !stream,
            pace: reply.pace,
            text: "",
            api: facts.api,
            faults: &reply.faults,
        };
        match &reply.what {
            What::Chat { text } => plan.chat(reply, facts, text),
            What::Raw { status, pieces, sized } => {
                let part = |bytes: &Bytes| Part { kind: Kind::Other, bytes: bytes.clone() };
                (plan.status, plan.sized) = (*status, *sized);
                plan.parts = pieces.iter().map(part).collect();
            }
        }
        plan
    }

    /// The steps, with every fault in them.
    pub(super) fn script(mut self) -> Script {
        let faults = self.faults;
        if let Some(steps) = faults.iter().find_map(|fault| self.instead(fault)) {
            return Script::new(steps);
        }
        // What is wrong with the content first: the length is that of what should have come.
        for fault in faults {
            self.spoil(fault);
        }
        let length = self.length();
        for fault in faults {
            self.end_otherwise(fault);
        }
        let mut steps = self.steps(length);
        for fault in faults {
            steps = fault.trouble(steps);
        }
        Script::new(steps)
    }

    fn chat(&mut self, reply: &'a Reply, facts: &Facts, text: &'a str) {
        let model = reply.model.as_deref().or(facts.model.as_deref()).unwrap_or("model");
        let finish = !self.faults.contains(&Fault::NoFinish);
        let begun = facts.prefill.as_deref().and_then(|begun| text.strip_prefix(begun));
        let text = begun.unwrap_or(text);
        let answer = Answer { text, model, facts, finish };
        self.text = text;
        if facts.stream {
            let stops: Vec<_> = self.faults.iter().filter_map(Fault::stop).collect();
            self.parts = answer.stream(reply.words_per_event, &stops);
        } else {
            let events = text.split_whitespace().count().div_ceil(reply.words_per_event);
            self.pace.head += self.pace.first;
            self.pace.head += self.pace.between * (events.saturating_sub(1) as u32);
            self.parts = vec![answer.json()];
        }
    }

    /// The steps of a fault that leaves nothing of the answer.
    fn instead(&self, fault: &Fault) -> Option<Vec<Step>> {
        let late = Step::Wait(self.pace.head);
        match fault {
            Fault::Refused => Some(vec![Step::Refuse]),
            Fault::Reset => Some(vec![late, Step::Reset]),
            Fault::Closed => Some(vec![late, Step::Cut]),
            Fault::Hang => Some(vec![Step::Hang]),
            _ => None,
        }
    }

    fn length(&self) -> Option<u64> {
        let blanks = self.faults.iter().any(|fault| matches!(fault, Fault::Comments { .. }));
        let length = self.parts.iter().map(|part| part.bytes.len() as u64).sum();
        (self.sized && !blanks).then_some(length)
    }

    /// Changes what is said.
    fn spoil(&mut self, fault: &Fault) {
        match fault {
            Fault::NoDone => self.parts.retain(|part| part.kind != Kind::Done),
            Fault::InvalidEvent { event } => self.invalid(*event),
            Fault::ErrorEvent { words, data } => self.error(*words, data),
            _ => {}
        }
    }

    fn invalid(&mut self, event: usize) {
        match self.parts.first() {
            Some(Part { kind: Kind::Json { text_at }, bytes }) => {
                let bytes = bytes.slice(..*text_at);
                self.parts = vec![Part { kind: Kind::Other, bytes }];
            }
            _ => {
                let bytes = Bytes::from_static(b"data: {\"choices\":[{\"delta\":\n\n");
                let at = event.saturating_sub(1).min(self.parts.len());
                self.parts.insert(at, Part { kind: Kind::Other, bytes });
            }
        }
    }

    fn error(&mut self, words: usize, data: &Bytes) {
        let chat = self.api == Api::Chat;
        // The others tell by a type, and by the name of the event, that it is an error.
        let data = match data.strip_prefix(b"{\"error\"") {
            Some(rest) if !chat => [b"{\"type\":\"error\",\"error\"", rest].concat().into(),
            _ => data.clone(),
        };
        let name: &[u8] = if chat { b"" } else { b"event: error\n" };
        let bytes = match self.parts.first() {
            Some(Part { kind: Kind::Json { .. }, .. }) => {
                self.parts.clear();
                data
            }
            _ => {
                self.stop(words);
                [name, b"data: ", &data[..], b"\n\n"].concat().into()
            }
        };
        self.parts.push(Part { kind: Kind::Other, bytes });
    }

    fn end_otherwise(&mut self, fault: &Fault) {
        match fault {
            Fault::Endless { every } => {
                let more = self.parts.iter().rfind(|part| matches!(part.kind, Kind::Words(_)));
                let Some(data) = more.map(|part| part.bytes.clone()) else { return };
                self.stop(usize::MAX);
                self.end = vec![Step::Pulse { data, every: *every, left: u32::MAX }];
            }
            Fault::Cut { words } => {
                self.stop(*words);
                self.end = vec![Step::Cut];
            }
            Fault::Silence { words, lasts } => {
                self.stop(*words);
                let still = if *lasts == Duration::MAX { Step::Hang } else { Step::Wait(*lasts) };
                self.end = vec![still, Step::Cut];
            }
            _ => {}
        }
    }

    /// Leaves out everything after so many words.
    fn stop(&mut self, words: usize) {
        if let Some(Part { kind: Kind::Json { text_at }, bytes }) = self.parts.first_mut() {
            let said = json(&self.text[..prefix(self.text, words)]);
            // Without the closing quote.
            bytes.truncate(*text_at + said.len() - 1);
            return;
        }
        let mut said = 0;
        let after = self.parts.iter().position(|part| match part.kind {
            Kind::Role | Kind::Other => false,
            Kind::Words(n) => {
                said += n;
                said > words
            }
            _ => true,
        });
        self.parts.truncate(after.unwrap_or(self.parts.len()));
    }

    fn steps(self, length: Option<u64>) -> Vec<Step> {
        let head = Head { status: self.status, headers: self.headers, length };
        let mut steps = vec![Step::Wait(self.pace.head), Step::Head(Box::new(head))];
        let mut wait = self.pace.first;
        for part in self.parts {
            if matches!(part.kind, Kind::Words(_) | Kind::Other) {
                steps.push(Step::Wait(wait));
                wait = self.pace.between;
            }
            steps.push(Step::Data(part.bytes));
        }
        steps.extend(self.end);
        steps
    }
}

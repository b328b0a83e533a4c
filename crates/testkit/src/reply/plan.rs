//! Computes the steps of an answer from a reply and a request.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::reply::{
    Api, Fault, Reply, ReplyHead, RequestFacts, Script, ScriptStep,
    chat_answer::prefix,
    part::{BodyPart, ChatAnswer, PartKind, json},
    policy::{Latencies, ReplyContent},
};

/// An answer in parts, with its end, its latencies and its faults.
pub(super) struct Plan<'a> {
    status: StatusCode,
    headers: HeaderMap,
    parts: Vec<BodyPart>,
    end: Vec<ScriptStep>,
    sized: bool,
    latencies: Latencies,
    text: &'a str,
    api: Api,
    faults: &'a [Fault],
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
pub(super) const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");

// === impl Reply ===

impl Reply {
    /// The steps of the answer to a request, from the provider of that name.
    pub(crate) fn script(&self, facts: &RequestFacts, name: &str) -> Script {
        Plan::of(self, facts, name).script()
    }
}

// === impl Plan ===

impl<'a> Plan<'a> {
    pub(super) fn of(reply: &'a Reply, request: &RequestFacts, name: &str) -> Self {
        let stream = request.stream && !reply.faults.contains(&Fault::NotStreamed);
        let facts = &RequestFacts { stream, ..request.clone() };
        let mut plan = Self {
            status: StatusCode::OK,
            headers: headers(reply, stream, name),
            parts: Vec::new(),
            end: vec![ScriptStep::End],
            sized: !stream,
            latencies: reply.latencies,
            text: "",
            api: facts.api,
            faults: &reply.faults,
        };
        match &reply.content {
            ReplyContent::Chat { text } => plan.chat(reply, facts, text),
            ReplyContent::Raw { status, pieces, sized } => {
                let part = |bytes: &Bytes| BodyPart { kind: PartKind::Other, bytes: bytes.clone() };
                (plan.status, plan.sized) = (*status, *sized);
                plan.parts = pieces.iter().map(part).collect();
            }
        }
        plan
    }

    /// The steps, with every fault applied.
    pub(super) fn script(mut self) -> Script {
        let faults = self.faults;
        if let Some(steps) = faults.iter().find_map(|fault| self.instead_of_answer(fault)) {
            return Script::new(steps);
        }
        // Faults of the content come first: the length is that of the answer before it is cut.
        for fault in faults {
            self.apply_to_content(fault);
        }
        let length = self.length();
        for fault in faults {
            self.apply_to_end(fault);
        }
        let mut steps = self.steps(length);
        for fault in faults {
            steps = fault.apply_to_delivery(steps);
        }
        Script::new(steps)
    }

    fn chat(&mut self, reply: &'a Reply, facts: &RequestFacts, text: &'a str) {
        let model = reply.model.as_deref().or(facts.model.as_deref()).unwrap_or("model");
        let finish = !self.faults.contains(&Fault::NoFinish);
        let rest = facts.prefill.as_deref().and_then(|prefill| text.strip_prefix(prefill));
        let text = rest.unwrap_or(text);
        let answer = ChatAnswer { text, model, facts, finish };
        self.text = text;
        if facts.stream {
            let stops: Vec<_> = self.faults.iter().filter_map(Fault::stop).collect();
            self.parts = answer.stream(reply.words_per_event, &stops);
        } else {
            let events = text.split_whitespace().count().div_ceil(reply.words_per_event);
            self.latencies.head += self.latencies.first;
            self.latencies.head += self.latencies.between * (events.saturating_sub(1) as u32);
            self.parts = vec![answer.json()];
        }
    }

    /// The steps of a fault that takes the place of the whole answer.
    fn instead_of_answer(&self, fault: &Fault) -> Option<Vec<ScriptStep>> {
        let wait = ScriptStep::Wait(self.latencies.head);
        match fault {
            Fault::Refused => Some(vec![ScriptStep::Refuse]),
            Fault::Reset => Some(vec![wait, ScriptStep::Reset]),
            Fault::Closed => Some(vec![wait, ScriptStep::Cut]),
            Fault::Hang => Some(vec![ScriptStep::Hang]),
            _ => None,
        }
    }

    fn length(&self) -> Option<u64> {
        let is_padded = self.faults.iter().any(|fault| matches!(fault, Fault::Comments { .. }));
        let length = self.parts.iter().map(|part| part.bytes.len() as u64).sum();
        (self.sized && !is_padded).then_some(length)
    }

    /// Applies a fault of the content.
    fn apply_to_content(&mut self, fault: &Fault) {
        match fault {
            Fault::NoDone => self.parts.retain(|part| part.kind != PartKind::Done),
            Fault::InvalidEvent { event } => self.insert_invalid_event(*event),
            Fault::ErrorEvent { words, data } => self.end_in_error(*words, data),
            _ => {}
        }
    }

    fn insert_invalid_event(&mut self, event: usize) {
        match self.parts.first() {
            Some(BodyPart { kind: PartKind::Json { text_at }, bytes }) => {
                let bytes = bytes.slice(..*text_at);
                self.parts = vec![BodyPart { kind: PartKind::Other, bytes }];
            }
            _ => {
                let bytes = Bytes::from_static(b"data: {\"choices\":[{\"delta\":\n\n");
                let at = event.saturating_sub(1).min(self.parts.len());
                self.parts.insert(at, BodyPart { kind: PartKind::Other, bytes });
            }
        }
    }

    fn end_in_error(&mut self, words: usize, data: &Bytes) {
        let chat = self.api == Api::Chat;
        // In the other APIs the type and the name of the event mark an error.
        let data = match data.strip_prefix(b"{\"error\"") {
            Some(rest) if !chat => [b"{\"type\":\"error\",\"error\"", rest].concat().into(),
            _ => data.clone(),
        };
        let name: &[u8] = if chat { b"" } else { b"event: error\n" };
        let bytes = match self.parts.first() {
            Some(BodyPart { kind: PartKind::Json { .. }, .. }) => {
                self.parts.clear();
                data
            }
            _ => {
                self.truncate_after(words);
                [name, b"data: ", &data[..], b"\n\n"].concat().into()
            }
        };
        self.parts.push(BodyPart { kind: PartKind::Other, bytes });
    }

    /// Applies a fault of the end.
    fn apply_to_end(&mut self, fault: &Fault) {
        match fault {
            Fault::Endless { every } => {
                let last = self.parts.iter().rfind(|part| matches!(part.kind, PartKind::Words(_)));
                let Some(data) = last.map(|part| part.bytes.clone()) else { return };
                self.truncate_after(usize::MAX);
                self.end = vec![ScriptStep::Repeat { data, every: *every, left: u32::MAX }];
            }
            Fault::Cut { words } => {
                self.truncate_after(*words);
                self.end = vec![ScriptStep::Cut];
            }
            Fault::Silence { words, lasts } => {
                self.truncate_after(*words);
                self.end = vec![ScriptStep::Wait(*lasts), ScriptStep::Cut];
            }
            Fault::Stall { words } => {
                self.truncate_after(*words);
                self.end = vec![ScriptStep::Hang, ScriptStep::Cut];
            }
            _ => {}
        }
    }

    /// Removes all parts after that number of words.
    fn truncate_after(&mut self, words: usize) {
        if let Some(BodyPart { kind: PartKind::Json { text_at }, bytes }) = self.parts.first_mut() {
            let kept = json(&self.text[..prefix(self.text, words)]);
            // Without the closing quote.
            bytes.truncate(*text_at + kept.len() - 1);
            return;
        }
        let mut count = 0;
        let after = self.parts.iter().position(|part| match part.kind {
            PartKind::Role | PartKind::Other => false,
            PartKind::Words(n) => {
                count += n;
                count > words
            }
            _ => true,
        });
        self.parts.truncate(after.unwrap_or(self.parts.len()));
    }

    fn steps(self, length: Option<u64>) -> Vec<ScriptStep> {
        let head = ReplyHead { status: self.status, headers: self.headers, length };
        let mut steps =
            vec![ScriptStep::Wait(self.latencies.head), ScriptStep::Head(Box::new(head))];
        let mut wait = self.latencies.first;
        for part in self.parts {
            if matches!(part.kind, PartKind::Words(_) | PartKind::Other) {
                steps.push(ScriptStep::Wait(wait));
                wait = self.latencies.between;
            }
            steps.push(ScriptStep::Data(part.bytes));
        }
        steps.extend(self.end);
        steps
    }
}

/// The headers of a reply from the provider of that name.
fn headers(reply: &Reply, stream: bool, name: &str) -> HeaderMap {
    let mut headers = reply.headers.clone();
    headers.entry(header::CONTENT_TYPE).or_insert(if stream { EVENTS } else { JSON });
    if let Ok(name) = HeaderValue::try_from(name) {
        headers.insert("x-served-by", name);
    }
    headers
}

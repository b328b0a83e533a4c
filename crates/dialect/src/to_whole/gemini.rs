//! Gemini: the parts of each candidate are put one after the other. All other fields are those of the last chunk that has them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    fold::{Fields, Fold},
    merge::{append, set_last},
};

/// An answer, from its chunks.
#[derive(Default)]
pub(super) struct Chunks {
    head: Fields,
    candidates: BTreeMap<u64, Candidate>,
}

#[derive(Default)]
struct Candidate {
    content: Fields,
    parts: Vec<Fields>,
    rest: Fields,
}

// === impl Chunks ===

impl Fold for Chunks {
    fn add(&mut self, _: &str, mut chunk: Fields) -> bool {
        if let Some(Value::Array(candidates)) = chunk.remove("candidates") {
            for candidate in candidates {
                let Value::Object(candidate) = candidate else { continue };
                let index = candidate.get("index").and_then(Value::as_u64).unwrap_or_default();
                self.candidates.entry(index).or_default().add(candidate);
            }
        }
        set_last(&mut self.head, chunk);
        true
    }

    fn end(self) -> Option<Value> {
        let Self { mut head, candidates } = self;
        if candidates.is_empty() && !head.contains_key("promptFeedback") {
            return None;
        }
        if !candidates.is_empty() {
            let candidates = candidates.into_values().map(Candidate::end);
            head.insert("candidates".into(), candidates.collect());
        }
        Some(head.into())
    }
}

// === impl Candidate ===

impl Candidate {
    fn add(&mut self, mut candidate: Fields) {
        if let Some(Value::Object(mut content)) = candidate.remove("content") {
            if let Some(Value::Array(parts)) = content.remove("parts") {
                for part in parts {
                    let Value::Object(part) = part else { continue };
                    self.part(part);
                }
            }
            set_last(&mut self.content, content);
        }
        set_last(&mut self.rest, candidate);
    }

    /// Adds a part. Texts of the same kind are one text; a signature belongs to its own part.
    fn part(&mut self, part: Fields) {
        let is_text = |part: &Fields| {
            part.keys().all(|name| matches!(name.as_str(), "text" | "thought"))
                && part.get("text").is_some_and(Value::is_string)
        };
        let text = part.get("text").and_then(Value::as_str).unwrap_or_default();
        match self.parts.last_mut() {
            _ if is_text(&part) && text.is_empty() => {}
            Some(last)
                if is_text(&part)
                    && is_text(last)
                    && last.get("thought") == part.get("thought") =>
            {
                append(last, "text", text);
            }
            _ => self.parts.push(part),
        }
    }

    fn end(self) -> Value {
        let Self { mut content, parts, mut rest } = self;
        content.entry("role").or_insert_with(|| "model".into());
        content.insert("parts".into(), parts.into_iter().map(Value::from).collect());
        rest.insert("content".into(), content.into());
        rest.into()
    }
}

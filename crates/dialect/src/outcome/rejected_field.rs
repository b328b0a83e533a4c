//! The fields that an error names as not supported.

use serde_json::Value;

use super::error_shape::json;
use crate::request_fields::{FieldChange, is_limit, known};

/// A field of a request that a provider does not support, as its error names it: a field that the request can do without. The
/// conversation, the tools, the model and the form of the answer are never among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedField {
    name: &'static str,
    scope: RejectedScope,
}

/// What of a field is not supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RejectedScope {
    /// The field, whatever its value.
    Field,
    /// The value that the request has.
    Value,
    /// The field together with others that the request has.
    Combination,
}

/// The largest part of an error body that is read, in bytes, and the largest number of fields.
const LONGEST: usize = 64 * 1024;
const MOST: usize = 16;
/// The deepest value that is read.
const DEEPEST: usize = 6;

/// The codes of an error that is about the field in `param`.
const CODES: [&str; 4] =
    ["unsupported_parameter", "unknown_parameter", "unrecognized_parameter", "extra_forbidden"];
/// The words before the name of a field.
const BEFORE: [&str; 13] = [
    "unknown name ",
    "unsupported parameter: ",
    "unsupported parameters: ",
    "unsupported parameter(s): ",
    "unknown parameter: ",
    "unrecognized request argument supplied: ",
    "unrecognized request arguments supplied: ",
    "unrecognized key(s) in object: ",
    "argument not supported on this model: ",
    "does not support parameters: [",
    "unknown field ",
    "'loc': ('body', ",
    "property ",
];
/// The words after the name of a field.
const AFTER: [&str; 6] = [
    " is not supported with this model",
    " is not supported for this model",
    " is not supported by this model",
    " is deprecated for this model",
    " is unsupported",
    ": extra inputs are not permitted",
];

// === impl RejectedField ===

impl RejectedField {
    /// The fields that an error body names as not supported, at most 16; none if the error is about anything else, such as a value
    /// out of its range.
    pub fn read(body: &[u8]) -> Vec<Self> {
        let body = &body[..body.len().min(LONGEST)];
        let mut found = Found::default();
        match json(body) {
            Some(value) => found.value(&value, DEEPEST),
            None => found.text(&String::from_utf8_lossy(body)),
        }
        found.0
    }

    /// The path of the field.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What of the field is not supported.
    pub fn scope(&self) -> RejectedScope {
        self.scope
    }

    /// The change after which the provider may accept the request. A limit on the tokens of the answer gets its other name, and is
    /// never left out.
    pub fn change(&self) -> FieldChange {
        match is_limit(self.name) {
            Some(other) => FieldChange::rename(self.name, other),
            None => FieldChange::drop(self.name),
        }
    }
}

/// The fields found so far, each once.
#[derive(Default)]
struct Found(Vec<RejectedField>);

// === impl Found ===

impl Found {
    fn add(&mut self, name: &str, scope: RejectedScope) {
        let Some(name) = known(name) else { return };
        if self.0.len() < MOST && self.0.iter().all(|field| field.name != name) {
            self.0.push(RejectedField { name, scope });
        }
    }

    fn value(&mut self, value: &Value, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        match value {
            Value::Object(fields) => {
                self.param(value);
                self.location(value);
                fields.values().for_each(|inner| self.value(inner, depth));
            }
            Value::Array(items) => items.iter().for_each(|item| self.value(item, depth)),
            Value::String(text) => self.text(text),
            _ => {}
        }
    }

    /// OpenAI's `param`, with a code or a message about support.
    fn param(&mut self, error: &Value) {
        let word = |field: &str| error.get(field).and_then(Value::as_str).unwrap_or_default();
        let (name, code) = (word("param"), word("code"));
        let message = word("message").to_ascii_lowercase();
        if code == "unsupported_value" || message.contains("does not support") {
            self.add(name, RejectedScope::Value);
        } else if CODES.contains(&code) || message.contains("unsupported parameter") {
            self.add(name, RejectedScope::Field);
        }
    }

    /// An item of a validation error, as pydantic writes it.
    fn location(&mut self, item: &Value) {
        let kind = item.get("type").and_then(Value::as_str).unwrap_or_default();
        let path = item.get("loc").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let (["extra_forbidden"] | ["value_error.extra"]) = [kind] else { return };
        let names: Option<Vec<_>> = path.iter().map(Value::as_str).collect();
        let names = names.unwrap_or_default();
        let names = names.strip_prefix(&["body"]).unwrap_or(&names);
        self.add(&names.join("."), RejectedScope::Field);
    }

    /// A message: names next to the words of the known providers.
    fn text(&mut self, text: &str) {
        let text = text.replace('\\', "");
        // ASCII alone changes its case, so the places are the same.
        let lower = text.to_ascii_lowercase();
        for words in BEFORE {
            for (at, _) in lower.match_indices(words) {
                self.listed(&text[at + words.len()..], words);
            }
        }
        for words in AFTER {
            for (at, _) in lower.match_indices(words) {
                self.add(last_name(&text[..at]), RejectedScope::Field);
            }
        }
        for (at, _) in lower.match_indices(" does not support ") {
            self.add(last_name(&text[..at]), RejectedScope::Value);
        }
        if lower.contains("cannot both be specified") && lower.contains("top_p") {
            self.add("top_p", RejectedScope::Combination);
        }
    }

    /// One name, or several with commas between them.
    fn listed(&mut self, mut rest: &str, words: &str) {
        for _ in 0..MOST {
            let (name, behind) = first_name(rest);
            let nested = behind.strip_prefix(" at '").is_some_and(|at| !at.starts_with(name));
            let of_property = words == "property " && !behind.starts_with(" is unsupported");
            if name.is_empty() || nested || of_property {
                return;
            }
            self.add(name, RejectedScope::Field);
            match behind.strip_prefix(", ") {
                Some(next) => rest = next,
                None => return,
            }
        }
    }
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '.'
}

fn is_quote(c: char) -> bool {
    matches!(c, '\'' | '"' | '`')
}

/// The name at the start of a text, and what is behind it and its quotes.
fn first_name(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches(is_quote);
    let end = text.find(|c| !is_of_name(c)).unwrap_or(text.len());
    let (name, behind) = text.split_at(end);
    (name.trim_end_matches('.'), behind.trim_start_matches(is_quote))
}

/// The name at the end of a text.
fn last_name(text: &str) -> &str {
    let text = text.trim_end_matches(is_quote);
    let start = text.rfind(|c| !is_of_name(c)).map_or(0, |at| at + 1);
    // A character that is not ASCII may be longer than one byte.
    text.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests;

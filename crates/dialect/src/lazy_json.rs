//! JSON that is changed in places: an unchanged value keeps every byte, so no number, escape or unknown field is ever parsed and
//! rendered again.

#[cfg(test)]
mod tests;

use std::{borrow::Cow, fmt};

use serde_json::value::RawValue;

use crate::{
    json_parts::{list, object},
    reply::json,
};

/// A value: its text, or its parts once they were accessed for a change.
#[derive(Clone, PartialEq)]
pub(crate) enum LazyJson<'a> {
    Text(Cow<'a, str>),
    Object(Vec<(String, LazyJson<'a>)>),
    List(Vec<LazyJson<'a>>),
}

// === impl Node ===

impl<'a> LazyJson<'a> {
    /// Parses a body; `None` if it is not JSON.
    pub(crate) fn read(body: &'a [u8]) -> Option<Self> {
        let value: &RawValue = serde_json::from_slice(body).ok()?;
        Some(Self::Text(value.get().into()))
    }

    /// A value from its JSON.
    pub(crate) fn of(json: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(json.into())
    }

    /// A text.
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(json(text).into())
    }

    /// The fields, mutable; `None` if the value is not an object.
    pub(crate) fn fields(&mut self) -> Option<&mut Vec<(String, LazyJson<'a>)>> {
        if let Self::Text(text) = self {
            *self = Self::Object(match text {
                Cow::Borrowed(text) => {
                    object(text)?.map(|(name, value)| (name, Self::of(value))).collect()
                }
                Cow::Owned(text) => {
                    object(text)?.map(|(name, value)| (name, Self::of(value.to_owned()))).collect()
                }
            });
        }
        match self {
            Self::Object(fields) => Some(fields),
            _ => None,
        }
    }

    /// The items, mutable; `None` if the value is not a list.
    pub(crate) fn items(&mut self) -> Option<&mut Vec<LazyJson<'a>>> {
        if let Self::Text(text) = self {
            *self = Self::List(match text {
                Cow::Borrowed(text) => list(text)?.map(Self::of).collect(),
                Cow::Owned(text) => list(text)?.map(|item| Self::of(item.to_owned())).collect(),
            });
        }
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// A field, mutable: the last of its name, which servers use.
    pub(crate) fn field(&mut self, name: &str) -> Option<&mut LazyJson<'a>> {
        let fields = self.fields()?;
        fields.iter_mut().rfind(|(known, _)| known == name).map(|(_, node)| node)
    }

    /// A field; `None` if it is missing or null.
    pub(crate) fn get(&self, name: &str) -> Option<LazyJson<'_>> {
        let found = match self {
            Self::Text(text) => LazyJson::of(object(text)?.rfind(|(known, _)| known == name)?.1),
            Self::Object(fields) => fields.iter().rfind(|(known, _)| known == name)?.1.borrow(),
            Self::List(_) => return None,
        };
        (!found.is_literal("null")).then_some(found)
    }

    /// The items; empty if the value is not a list.
    pub(crate) fn to_items(&self) -> Vec<LazyJson<'_>> {
        match self {
            Self::Text(text) => {
                list(text).map_or_else(Vec::new, |items| items.map(LazyJson::of).collect())
            }
            Self::List(items) => items.iter().map(LazyJson::borrow).collect(),
            Self::Object(_) => Vec::new(),
        }
    }

    /// Sets a field in place, or appends it. Does nothing if the value is not an object.
    pub(crate) fn set(&mut self, name: &str, value: LazyJson<'a>) {
        let Some(fields) = self.fields() else { return };
        match fields.iter().position(|(known, _)| known == name) {
            Some(at) => {
                fields[at].1 = value;
                let mut seen = 0;
                fields.retain(|(known, _)| known != name || std::mem::replace(&mut seen, 1) == 0);
            }
            None => fields.push((name.into(), value)),
        }
    }

    /// Removes all fields of that name. Returns whether there was one.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        let there = match self {
            // A value without the field need not be parsed into parts.
            Self::Text(text) => object(text).is_some_and(|mut all| all.any(|(n, _)| n == name)),
            _ => true,
        };
        if !there {
            return false;
        }
        let Some(fields) = self.fields() else { return false };
        let before = fields.len();
        fields.retain(|(known, _)| known != name);
        fields.len() < before
    }

    /// The text, if the value is a string.
    pub(crate) fn string(&self) -> Option<String> {
        match self {
            Self::Text(text) if text.starts_with('"') => serde_json::from_str(text).ok(),
            _ => None,
        }
    }

    /// The text of a field; empty where it has none.
    pub(crate) fn str_or_empty(&self, name: &str) -> String {
        self.get(name).and_then(|node| node.string()).unwrap_or_default()
    }

    /// The number, if the value is a whole number that is not negative.
    pub(crate) fn number(&self) -> Option<u64> {
        match self {
            Self::Text(text) => serde_json::from_str(text).ok(),
            _ => None,
        }
    }

    /// Whether the value equals this JSON, byte for byte.
    pub(crate) fn is_literal(&self, json: &str) -> bool {
        matches!(self, Self::Text(text) if text.trim_ascii() == json)
    }

    pub(crate) fn is_list(&self) -> bool {
        match self {
            Self::Text(text) => text.trim_ascii_start().starts_with('['),
            Self::List(_) => true,
            Self::Object(_) => false,
        }
    }

    /// The value, borrowed.
    pub(crate) fn borrow(&self) -> LazyJson<'_> {
        match self {
            Self::Text(text) => LazyJson::Text(Cow::Borrowed(text)),
            other => LazyJson::Text(other.json().into()),
        }
    }

    /// The value, owned.
    pub(crate) fn owned<'b>(self) -> LazyJson<'b> {
        match self {
            Self::Text(text) => LazyJson::Text(text.into_owned().into()),
            other => LazyJson::Text(other.json().into()),
        }
    }

    /// Whether the JSON of the value contains a word.
    pub(crate) fn contains(&self, word: &str) -> bool {
        match self {
            Self::Text(text) => memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some(),
            other => other.json().contains(word),
        }
    }

    /// The JSON of the value.
    pub(crate) fn json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        let mut comma = "";
        match self {
            Self::Text(text) => out.push_str(text),
            Self::Object(fields) => {
                out.push('{');
                for (name, node) in fields {
                    out.push_str(std::mem::replace(&mut comma, ","));
                    out.push_str(&json(name));
                    out.push(':');
                    node.write(out);
                }
                out.push('}');
            }
            Self::List(items) => {
                out.push('[');
                for node in items {
                    out.push_str(std::mem::replace(&mut comma, ","));
                    node.write(out);
                }
                out.push(']');
            }
        }
    }
}

impl fmt::Debug for LazyJson<'_> {
    /// Omits prompts and answers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({} bytes)", self.json().len())
    }
}

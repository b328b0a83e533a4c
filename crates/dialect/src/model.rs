//! Asks another model: its name is rewritten in place.

#[cfg(test)]
mod tests;

use std::{fmt, ops::Range};

use bytes::Bytes;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{Dialect, Request, json::span_in, model_path};

/// The values of the top-level `model`, and how many other fields there are.
#[derive(Default)]
struct Models<'a> {
    values: Vec<&'a RawValue>,
    others: usize,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Model,
    #[serde(other)]
    Other,
}

// === impl Dialect ===

impl Dialect {
    /// Asks another model. The rest of the request stays as it was, in its order.
    pub fn with_model(self, request: &mut Request, model: &str) {
        match self {
            Self::Gemini => model_path::with_model(request.uri_mut(), model),
            Self::OpenAiChat | Self::OpenAiResponses | Self::Anthropic | Self::Ollama => {
                *request.body_mut() = with_model(request.body(), model);
            }
        }
    }
}

/// The body with another model: the value of the top-level `model` is rewritten, or put in where there is none; every
/// other byte stays. A body that is no JSON object stays as it is.
pub(super) fn with_model(body: &Bytes, model: &str) -> Bytes {
    let Ok(models) = serde_json::from_slice::<Models<'_>>(body) else {
        return body.clone();
    };
    let text = serde_json::Value::from(model).to_string();
    let places = models.values.iter().map(|value| span_in(value.get(), body)).collect::<Vec<_>>();
    if !places.is_empty() {
        // A name that comes twice is rewritten twice: servers differ in which they take.
        return splice(body, &places, &text);
    }
    let open = body.len() - body.trim_ascii_start().len() + 1;
    let comma = if models.others > 0 { "," } else { "" };
    splice(body, std::slice::from_ref(&(open..open)), &format!("\"model\":{text}{comma}"))
}

/// The bytes with that text in each of those places.
pub(super) fn splice(body: &[u8], places: &[Range<usize>], text: &str) -> Bytes {
    let mut out = Vec::with_capacity(body.len() + places.len() * text.len());
    let mut at = 0;
    for place in places {
        out.extend_from_slice(&body[at..place.start]);
        out.extend_from_slice(text.as_bytes());
        at = place.end;
    }
    out.extend_from_slice(&body[at..]);
    out.into()
}

// === impl Models ===

impl<'de: 'a, 'a> Deserialize<'de> for Models<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Models<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Models<'de>, A::Error> {
                let mut models = Models::default();
                while let Some(key) = map.next_key()? {
                    match key {
                        Key::Model => models.values.push(map.next_value()?),
                        Key::Other => {
                            map.next_value::<IgnoredAny>()?;
                            models.others += 1;
                        }
                    }
                }
                Ok(models)
            }
        }

        deserializer.deserialize_map(Object)
    }
}

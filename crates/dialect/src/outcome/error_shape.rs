//! The position of the error in the JSON of each provider.

use serde_json::Value;

/// The JSON of a body: its first value, or the data of its first event. A number or a word is not an error body.
pub(super) fn json(body: &[u8]) -> Option<Value> {
    let first = |bytes: &[u8]| {
        let value = serde_json::Deserializer::from_slice(bytes).into_iter().next()?.ok();
        value.filter(|value: &Value| value.is_object() || value.is_array())
    };
    first(body).or_else(|| {
        let mut lines = body.split(|byte| *byte == b'\n');
        lines.find_map(|line| first(line.strip_prefix(b"data:")?))
    })
}

/// The error in a value, one level down. An error that is a text stays in its value.
pub(super) fn error_in(value: &Value) -> Option<&Value> {
    let field = |name: &str| value.get(name).filter(holds);
    let wrapped = |name: &str| value.get(name).filter(|outer| has_error(outer));
    field("error")
        .or_else(|| in_choices(value))
        .or_else(|| wrapped("response"))
        .or_else(|| wrapped("delta"))
        .or_else(|| field("errors"))
        .or_else(|| field("detail"))
        .or_else(|| field("fault"))
}

/// Whether a value is an error or contains one: as an object, as a text, in a choice, in a response.
pub(super) fn has_error(value: &Value) -> bool {
    let word = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
    let object = value.get("error").is_some_and(|error| holds(&error));
    let says = word("type") == "error" || word("object") == "error" || !word("error").is_empty();
    // Other objects with a failed status, such as a batch, are valid answers.
    let failed = word("object") == "response" && word("status") == "failed";
    let within = |name: &str| value.get(name).is_some_and(has_error);
    object || says || failed || in_choices(value).is_some() || within("response") || within("delta")
}

fn in_choices(value: &Value) -> Option<&Value> {
    let choices = value.get("choices")?.as_array()?;
    choices.iter().find_map(|choice| choice.get("error").filter(holds))
}

fn holds(value: &&Value) -> bool {
    match value {
        Value::Object(fields) => fields.values().any(|field| !field.is_null()),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

/// The first string or number of a field in JSON that cannot be parsed. A quoted body inside it has its quotes escaped, so that
/// its fields do not match.
pub(super) fn field_in(text: &str, field: &str) -> Option<Value> {
    text.match_indices(field).find_map(|(at, _)| {
        let value = text[at + field.len()..].trim_start().strip_prefix(':')?.trim_start();
        let plain = value.starts_with(|c: char| c == '"' || c.is_ascii_digit());
        let read =
            plain.then(|| serde_json::Deserializer::from_str(value).into_iter::<Value>().next());
        read??.ok().filter(|value| value != "error")
    })
}

/// The message in truncated JSON, possibly truncated itself; the whole text if there is none.
pub(super) fn cut_message(text: &str) -> &str {
    let value = text.split_once("\"message\"").map(|(_, rest)| rest.trim_start());
    let value = value.and_then(|rest| rest.strip_prefix(':')?.trim_start().strip_prefix('"'));
    let Some(value) = value else { return text };
    let end = value.match_indices('"').find(|(at, _)| !value[..*at].ends_with('\\'));
    end.map_or(value, |(at, _)| &value[..at])
}

/// Whether a word is spelled as a code, and not as a word of prose or a key: `rate_limit_exceeded`.
pub(super) fn is_spelled(word: &str) -> bool {
    word.contains('_') && word.bytes().all(|b| b == b'_' || b.is_ascii_lowercase())
}

//! Joins values of events.

use serde_json::{Value, map::Entry};

use super::fold::Fields;

/// Whether a value says nothing: null, an empty text, list or object, or zero.
pub(super) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

/// Sets the fields that say something. The last event that has a field decides.
pub(super) fn set_last(into: &mut Fields, from: Fields) {
    for (name, value) in from {
        if !is_blank(&value) || !into.contains_key(&name) {
            into.insert(name, value);
        }
    }
}

/// Sets the fields that are missing or say nothing. The first event that has a field decides.
pub(super) fn set_first(into: &mut Fields, from: Fields) {
    for (name, value) in from {
        match into.entry(name) {
            Entry::Vacant(place) => drop(place.insert(value)),
            Entry::Occupied(mut place) => {
                if is_blank(place.get()) && !is_blank(&value) {
                    place.insert(value);
                }
            }
        }
    }
}

/// Appends a text to a field.
pub(super) fn append(into: &mut Fields, name: &str, more: &str) {
    match into.get_mut(name) {
        Some(Value::String(text)) => text.push_str(more),
        _ => drop(into.insert(name.into(), more.into())),
    }
}

/// Adds the items of a list to a field.
pub(super) fn extend(into: &mut Fields, name: &str, more: Vec<Value>) {
    match into.get_mut(name) {
        Some(Value::Array(list)) => list.extend(more),
        _ => drop(into.insert(name.into(), more.into())),
    }
}

/// Joins two pieces of a value: texts are appended, items of lists are joined by their `index`, and the fields of objects one by
/// one.
pub(super) fn join(into: &mut Value, more: Value) {
    match (into, more) {
        (_, Value::Null) => {}
        (Value::String(text), Value::String(more)) => text.push_str(&more),
        (Value::Object(fields), Value::Object(more)) => join_fields(fields, more),
        (Value::Array(list), Value::Array(more)) => {
            more.into_iter().for_each(|item| join_item(list, item));
        }
        // Text after parts of a message.
        (Value::Array(list), text @ Value::String(_)) if !is_blank(&text) => {
            list.push(serde_json::json!({"type": "text", "text": text}));
        }
        (into, more) if is_blank(into) || !(into.is_string() || into.is_array()) => *into = more,
        _ => {}
    }
}

/// Joins the fields of two pieces of an object. A field that identifies it is not text, and may be repeated in every piece.
pub(super) fn join_fields(into: &mut Fields, more: Fields) {
    for (name, value) in more {
        let whole = match name.as_str() {
            "id" | "type" | "role" | "format" | "index" => true,
            // Most servers send a name once or repeat it; few send it in pieces.
            "name" => into.get(&name) == Some(&value),
            _ => false,
        };
        match into.get_mut(&name) {
            None => drop(into.insert(name, value)),
            Some(known) if whole && !is_blank(&value) => *known = value,
            Some(_) if whole => {}
            Some(known) => join(known, value),
        }
    }
}

/// Joins an item with the item of the same index, or appends it.
fn join_item(list: &mut Vec<Value>, item: Value) {
    let index = item.get("index").filter(|index| !index.is_null());
    let same = |known: &&mut Value| {
        let differs = |name: &str| {
            let filled = |value: &Value| value.get(name).filter(|it| !is_blank(it)).cloned();
            filled(known).zip(filled(&item)).is_some_and(|(known, more)| known != more)
        };
        known.get("index") == index && !differs("id") && !differs("type")
    };
    let known = index.and_then(|_| list.iter_mut().rfind(same));
    match (known, item) {
        (Some(Value::Object(known)), Value::Object(more)) => join_fields(known, more),
        (_, item) => list.push(item),
    }
}

//! Applies changes to the body of a request.

use bytes::Bytes;

use super::{FieldChange, splice};
use crate::json_parts::object;

/// A body after changes of its fields.
#[derive(Clone, PartialEq, Eq)]
pub struct ChangedFields {
    /// The body.
    pub body: Bytes,
    /// The paths of the fields that were changed.
    pub fields: Vec<Box<str>>,
}

/// Applies changes to a body, in order; every byte that they do not name stays. `None` if nothing changes, or the body is not a
/// JSON object.
pub fn change_fields<'a>(
    body: &[u8],
    changes: impl IntoIterator<Item = &'a FieldChange>,
) -> Option<ChangedFields> {
    let mut text = std::str::from_utf8(body).ok()?.to_owned();
    let names: Vec<_> = object(&text)?.map(|(name, _)| name).collect();
    let mut fields = Vec::new();
    for change in changes {
        // Most changes are of fields that the request does not have.
        if !change.may_apply(&names) {
            continue;
        }
        if let Some(changed) = change.apply(&text) {
            text = changed;
            fields.push(change.field().into());
        }
    }
    (!fields.is_empty()).then(|| ChangedFields { body: text.into(), fields })
}

/// The JSON of a field of a body; `None` if it has none.
pub fn field_json<'a>(body: &'a [u8], path: &str) -> Option<&'a str> {
    splice::value(std::str::from_utf8(body).ok()?, path)
}

// === impl FieldChange ===

impl FieldChange {
    fn may_apply(&self, names: &[String]) -> bool {
        let top = self.field().split('.').next().unwrap_or_default();
        match self {
            Self::Set { .. } | Self::DeveloperAsSystem => true,
            _ => names.iter().any(|name| name == top),
        }
    }

    fn apply(&self, text: &str) -> Option<String> {
        let remove = |path: &str, fits: &dyn Fn(&str) -> bool| {
            splice::at_path(text, path, &|object, name| splice::remove(object, name, fits))
        };
        match self {
            Self::Rename { from, to } => {
                let to = to.rsplit('.').next().unwrap_or_default();
                splice::at_path(text, from, &|object, name| splice::rename(object, name, to))
            }
            Self::Drop { field } => remove(field, &|_| true),
            Self::DropUnless { field, json } => remove(field, &|value| !is_same(value, json)),
            Self::DropNull { field } => remove(field, &|value| value == "null"),
            Self::Set { field, json } => splice::set(text, field, json),
            Self::DeveloperAsSystem => {
                let roles = ["\"developer\"", "\"system\""];
                let lists = ["messages", "input"];
                lists.iter().find_map(|list| splice::replace_in_list(text, list, "role", roles))
            }
        }
    }
}

/// Whether two values are the same, as text or as numbers.
fn is_same(one: &str, other: &str) -> bool {
    let number = |json: &str| json.parse::<f64>().ok();
    one == other || number(one).is_some_and(|one| number(other) == Some(one))
}

impl std::fmt::Debug for ChangedFields {
    /// Omits the body.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChangedFields").field("fields", &self.fields).finish_non_exhaustive()
    }
}

//! The field of the request that an error names as wrong.

use serde_json::{Map, Value};

/// A field of the request that an error names as wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WrongField {
    /// The model.
    Model,
    /// Any other.
    Other,
}

// === impl WrongField ===

impl WrongField {
    /// The field that an error names: OpenAI's `param`, FastAPI's `loc`, Google's `fieldViolations`.
    pub(super) fn named_in(error: &Map<String, Value>) -> Option<Self> {
        let param = error.get("param").and_then(Value::as_str).filter(|param| !param.is_empty());
        let path = error.get("loc").and_then(Value::as_array).filter(|path| !path.is_empty());
        let listed = error.get("details").and_then(Value::as_array).into_iter().flatten();
        let mut violations =
            listed.filter_map(|it| it.get("fieldViolations").and_then(Value::as_array));
        let named = param.is_some() || path.is_some() || violations.any(|list| !list.is_empty());
        let field = if param == Some("model") { Self::Model } else { Self::Other };
        named.then_some(field)
    }
}

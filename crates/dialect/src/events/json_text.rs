//! A text as it stands in JSON.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::json::RawField;

/// A text as it stands in JSON, decoded where it is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JsonText<'a>(&'a RawValue);

// === impl JsonText ===

impl<'a> JsonText<'a> {
    /// The value, where it is a text.
    pub(crate) fn new(value: RawField<'a>) -> Option<Self> {
        value.filter(|value| value.get().starts_with('"')).map(Self)
    }

    /// The value, where it is a text and not empty.
    pub(crate) fn filled(value: RawField<'a>) -> Option<Self> {
        Self::new(value).filter(|text| !text.is_empty())
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0.get() == "\"\""
    }

    /// The text; `None` where its escapes make none.
    pub(crate) fn decode(self) -> Option<Cow<'a, str>> {
        let json = self.0.get();
        let inner = json.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        match inner.filter(|text| !text.contains('\\')) {
            Some(plain) => Some(plain.into()),
            None => serde_json::from_str::<String>(json).ok().map(Cow::Owned),
        }
    }
}

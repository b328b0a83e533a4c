//! The parts of a value, each as its text.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// The fields of an object in order; a repeated name occurs twice.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

/// The fields of an object, each with the text of its value.
pub(crate) fn object(text: &str) -> Option<impl DoubleEndedIterator<Item = (String, &str)>> {
    let Fields(fields) = serde_json::from_str(text).ok()?;
    Some(fields.into_iter().map(|(name, value)| (name, value.get())))
}

/// The texts of the items of a list.
pub(crate) fn list(text: &str) -> Option<impl Iterator<Item = &str>> {
    let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    Some(items.into_iter().map(RawValue::get))
}

// === impl Fields ===

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

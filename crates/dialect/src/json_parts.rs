//! The parts of a value, each as its text. A value with very many parts has none: see [`MAX_VALUES`].

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::density::MAX_VALUES;

/// The fields of an object in order; a repeated name occurs twice.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

/// The items of a list.
struct Items<'a>(Vec<&'a RawValue>);

/// The fields of an object, each with the text of its value.
pub(crate) fn object(text: &str) -> Option<impl DoubleEndedIterator<Item = (String, &str)>> {
    let Fields(fields) = serde_json::from_str(text).ok()?;
    Some(fields.into_iter().map(|(name, value)| (name, value.get())))
}

/// The texts of the items of a list.
pub(crate) fn list(text: &str) -> Option<impl Iterator<Item = &str>> {
    let Items(items) = serde_json::from_str(text).ok()?;
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
                    if fields.len() == MAX_VALUES {
                        return Err(A::Error::custom("too many fields"));
                    }
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

// === impl Items ===

impl<'de: 'a, 'a> Deserialize<'de> for Items<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;

        impl<'de> Visitor<'de> for List {
            type Value = Items<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Items<'de>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    if items.len() == MAX_VALUES {
                        return Err(A::Error::custom("too many items"));
                    }
                    items.push(item);
                }
                Ok(Items(items))
            }
        }

        deserializer.deserialize_seq(List)
    }
}

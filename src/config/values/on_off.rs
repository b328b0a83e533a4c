//! Settings that can be turned off, and parts that are on, off or configured.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{
        Error, MapAccess, Unexpected, Visitor,
        value::{
            F64Deserializer, I64Deserializer, MapAccessDeserializer, StrDeserializer,
            U64Deserializer,
        },
    },
};

/// A value, or `"off"`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::config) struct OrOff<T>(pub(in crate::config) Option<T>);

/// `true`, `false`, or a table that turns the part on.
#[derive(Clone, Debug)]
pub(in crate::config) struct Toggle<T>(pub(in crate::config) Option<T>);

struct OrOffVisitor<T>(PhantomData<T>);
struct ToggleVisitor<T>(PhantomData<T>);

// === impl OrOff ===

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OrOff<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OrOffVisitor(PhantomData))
    }
}

// === impl OrOffVisitor ===

impl<'de, T: Deserialize<'de>> Visitor<'de> for OrOffVisitor<T> {
    type Value = OrOff<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or \"off\"")
    }

    fn visit_bool<E: Error>(self, on: bool) -> Result<OrOff<T>, E> {
        // YAML readers may take a bare `off` for `false`.
        match on {
            false => Ok(OrOff(None)),
            true => Err(E::invalid_type(Unexpected::Bool(on), &self)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<OrOff<T>, E> {
        match text {
            "off" => Ok(OrOff(None)),
            _ => T::deserialize(StrDeserializer::new(text)).map(|value| OrOff(Some(value))),
        }
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<OrOff<T>, E> {
        T::deserialize(U64Deserializer::new(number)).map(|value| OrOff(Some(value)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<OrOff<T>, E> {
        T::deserialize(I64Deserializer::new(number)).map(|value| OrOff(Some(value)))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<OrOff<T>, E> {
        T::deserialize(F64Deserializer::new(number)).map(|value| OrOff(Some(value)))
    }
}

// === impl Toggle ===

impl<'de, T: Default + Deserialize<'de>> Deserialize<'de> for Toggle<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ToggleVisitor(PhantomData))
    }
}

// === impl ToggleVisitor ===

impl<'de, T: Default + Deserialize<'de>> Visitor<'de> for ToggleVisitor<T> {
    type Value = Toggle<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false or a table")
    }

    fn visit_bool<E: Error>(self, on: bool) -> Result<Toggle<T>, E> {
        Ok(Toggle(on.then(T::default)))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Toggle<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|table| Toggle(Some(table)))
    }
}

//! Reads any format into one tree, and refuses what a configuration has no use for.

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

use crate::ConfigError;

/// Reads a value with at most this many levels below it.
#[derive(Clone, Copy)]
struct Below(usize);

/// The levels of the deepest tree.
const DEEPEST: usize = 32;

/// The longest key, in bytes: paths of keys are made of them.
const LONGEST_KEY: usize = 128;

/// The tree without the keys that hold nothing: a YAML table with all of its keys commented out is `null`. A field of a request
/// that is set to `null` stays.
pub(super) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(table) => {
            let kept = table.into_iter().filter(|(_, value)| !value.is_null());
            let inside = |(key, value)| match key {
                key if key == "set" => (key, value),
                key => (key, without_nulls(value)),
            };
            Value::Object(kept.map(inside).collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(without_nulls).collect()),
        value => value,
    }
}

/// Reads a tree for [`Config::from_value`](super::Config::from_value): like `serde_json::Value`, but a key that is there twice, a
/// date and a number that is not finite are errors. For formats whose own tree would lose a key:
///
/// ```
/// use evenkeel::config::{Config, read_tree};
///
/// let text = r#"{ "limits": { "idle": "1s", "idle": "2s" } }"#;
/// let error = read_tree(&mut serde_json::Deserializer::from_str(text)).unwrap_err();
/// assert!(error.to_string().starts_with("a key is there twice"));
/// ```
///
/// # Errors
///
/// Those of the format, and those above.
pub fn read_tree<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    Below(DEEPEST).deserialize(deserializer)
}

/// Where a table is, by the path without numbers. serde would take a list in its place.
const TABLES: [&str; 19] = [
    "",
    "limits",
    "retry",
    "breaker",
    "breaker.slow_after",
    "traffic",
    "traffic.model[]",
    "buffer",
    "cache",
    "identity",
    "target[]",
    "target[].balance",
    "stored[]",
    "canned[]",
    "outcome[]",
    "caller[]",
    "caller[].limits",
    "tls",
    "edges",
];

/// Rejects a list in the place of a table. `kind` is the path without numbers.
pub(super) fn check_tables(value: &Value, kind: &str, path: &str) -> Result<(), ConfigError> {
    let joined = |at: &str, key: &str| match at {
        "" => key.to_owned(),
        at => format!("{at}.{key}"),
    };
    match value {
        Value::Array(_) if TABLES.contains(&kind) => {
            let path = if path.is_empty() { "the configuration" } else { path };
            Err(ConfigError::because(path, "is a list; allowed is a table"))
        }
        Value::Array(list) => list.iter().enumerate().try_for_each(|(nth, value)| {
            check_tables(value, &format!("{kind}[]"), &format!("{path}[{nth}]"))
        }),
        Value::Object(table) => table.iter().try_for_each(|(key, value)| {
            check_tables(value, &joined(kind, key), &joined(path, key))
        }),
        _ => Ok(()),
    }
}

// === impl Below ===

impl Below {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let deeper = self.0.checked_sub(1).map(Self);
        deeper.ok_or_else(|| E::custom(format!("is nested deeper than {DEEPEST} levels")))
    }
}

impl<'de> DeserializeSeed<'de> for Below {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Below {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, true, false, a list or a table")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).map(Value::Number);
        number.ok_or_else(|| E::custom(format!("a number is {value}; allowed is a finite one")))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let below = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(below)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Value, A::Error> {
        let below = self.deeper()?;
        let mut values = Map::new();
        while let Some(key) = table.next_key::<String>()? {
            // How the reader of TOML hands on a date.
            if key.starts_with("$__") {
                return Err(A::Error::custom("a value is a date; allowed is a text in quotes"));
            }
            if key.len() > LONGEST_KEY {
                let allowed = format!("allowed are {LONGEST_KEY}");
                return Err(A::Error::custom(format!("a key has {} bytes; {allowed}", key.len())));
            }
            let value = table.next_value_seed(below)?;
            if values.contains_key(&key) {
                return Err(A::Error::custom("a key is there twice; allowed is each key once"));
            }
            values.insert(key, value);
        }
        Ok(Value::Object(values))
    }
}

//! The JSON Schema of a configuration and the table of its keys: made of its tables, and compared with the files that are checked
//! in.

use std::{borrow::Cow, collections::BTreeSet, fs, path::Path};

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Value, json};

use super::{
    tables::File,
    values::{Choice, ErrorStatus, One, OrOff, Parsed, Time, Toggle, Whole},
};

macro_rules! inline_schema {
    ($([$($generics:tt)*] $type:ty, $name:literal, $inline:literal, |$generator:ident| $schema:expr;)*) => {$(
        impl<$($generics)*> JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn inline_schema() -> bool {
                $inline
            }

            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )*};
}

inline_schema! {
    [] Time, "Duration", false, |_generator| json_schema!({
        "description": "A duration with its unit, or a number of seconds.",
        "type": ["string", "number"],
        "minimum": 0,
        "pattern": "^ *[0-9.]+ *(ns|us|µs|ms|s|m|h|d|(milli)?seconds?|secs?|min(ute)?s?|hrs?|hours?|days?)([ ,]*(and )?[0-9.]+ *(ns|us|µs|ms|s|m|h|d|(milli)?seconds?|secs?|min(ute)?s?|hrs?|hours?|days?))* *$",
        "examples": ["30s", "250ms", "1m 30s", "15min"]
    });
    [] ErrorStatus, "ErrorStatus", true, |_generator| json_schema!({ "type": "integer", "minimum": 300, "maximum": 599 });
    [const MIN: u64, const MAX: u64] Whole<MIN, MAX>, "Whole", true, |_generator| match MAX {
        u64::MAX => json_schema!({ "type": "integer", "minimum": MIN }),
        _ => json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX }),
    };
    [T: Choice] One<T>, "One", true, |_generator| {
        let names: Vec<_> = T::choices().into_iter().map(|(name, _)| name).collect();
        json_schema!({ "enum": names })
    };
    [T] Parsed<T>, "Text", true, |_generator| json_schema!({ "type": "string" });
    [T: JsonSchema] OrOff<T>, "OrOff", true, |generator| {
        let value = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [{ "enum": ["off", false] }, value] })
    };
    [T: JsonSchema] Toggle<T>, "Toggle", true, |generator| {
        let table = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [{ "type": "boolean" }, table] })
    };
}

/// The schema, without the defaults that are none.
fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12();
    let mut schema = Value::from(settings.into_generator().into_root_schema_for::<File>());
    tidy(&mut schema);
    schema
}

fn tidy(value: &mut Value) {
    match value {
        Value::Object(table) => {
            if table
                .get("default")
                .is_some_and(|value| value.is_null() || *value == json!([]) || *value == json!({}))
            {
                table.remove("default");
            }
            table.values_mut().for_each(tidy);
        }
        Value::Array(list) => list.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// The rows of a table and of the tables in it: key, kind of value, description with the default.
fn rows(root: &Value, table: &Value, at: &str, page: &mut String) {
    for (name, key) in table["properties"].as_object().unwrap() {
        let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        let list = key["type"] == "array";
        let inside = if list { &key["items"] } else { key };
        let description = key["description"].as_str().unwrap().replace('\n', " ");
        let inner =
            tables(root, inside).into_iter().find(|table| table.get("properties").is_some());
        let kind = match (inner, list) {
            (Some(_), true) => "tables".to_owned(),
            (Some(_), false) => "table".to_owned(),
            (None, _) => kind(root, key),
        };
        let required =
            table["required"].as_array().is_some_and(|names| names.contains(&json!(name)));
        let required = if required { " Required." } else { "" };
        page.push_str(&format!("| `{path}` | {kind} | {description}{required} |\n"));
        if let Some(inner) = inner {
            let path = if list { format!("{path}[]") } else { path };
            rows(root, inner, &path, page);
        }
    }
}

/// The schemas that a value may have, with the references followed.
fn tables<'a>(root: &'a Value, value: &'a Value) -> Vec<&'a Value> {
    let value = match value["$ref"].as_str() {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    };
    let any = value["anyOf"].as_array().into_iter().flatten();
    any.flat_map(|value| tables(root, value)).chain([value]).collect()
}

/// The kind of a value in a word or two.
fn kind(root: &Value, value: &Value) -> String {
    let all = tables(root, value);
    let has = |name: &str| {
        let is = |kind: &Value| {
            *kind == name || kind.as_array().is_some_and(|kinds| kinds.contains(&json!(name)))
        };
        all.iter().any(|schema| is(&schema["type"]))
    };
    let names = all.iter().find_map(|schema| schema["enum"].as_array());
    let names: Vec<_> = names.into_iter().flatten().filter_map(Value::as_str).collect();
    let mut kind = if all.iter().any(|schema| schema.get("pattern").is_some()) {
        "duration".to_owned()
    } else if has("array") {
        match value["minItems"] {
            Value::Null => "list".to_owned(),
            _ => "two durations".to_owned(),
        }
    } else if has("object") {
        "table".to_owned()
    } else if has("integer") {
        "whole number".to_owned()
    } else if has("number") {
        "number".to_owned()
    } else if has("boolean") {
        "true or false".to_owned()
    } else if has("string") {
        "text".to_owned()
    } else {
        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    };
    if names == ["off"] {
        kind.push_str(" or `off`");
    }
    kind
}

/// `EVENKEEL_WRITE_SCHEMA=1 cargo test --all-features --lib config::schema` writes both.
#[test]
fn the_schema_and_the_table_of_keys_that_are_checked_in_are_those_of_the_tables() {
    let schema = schema();
    let mut page = "| key | value | |\n|---|---|---|\n".to_owned();
    rows(&schema, &schema, "", &mut page);
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    for (name, current) in [("schema.json", text), ("keys.md", page)] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config").join(name);
        if std::env::var_os("EVENKEEL_WRITE_SCHEMA").is_some() {
            fs::write(&file, &current).unwrap();
        }
        let checked_in = fs::read_to_string(&file).unwrap();
        assert!(
            checked_in == current,
            "{name} is not current: set EVENKEEL_WRITE_SCHEMA=1 and run this test"
        );
    }
}

/// The paths of all keys of a table, without those of free tables.
fn paths(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(table) => {
            for (name, value) in table {
                let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                if name != "rename" && name != "set" {
                    paths(value, &path, found);
                }
                found.insert(path);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| paths(value, &format!("{at}[]"), found)),
        _ => {}
    }
}

#[test]
fn the_example_has_every_key_of_the_library() {
    let example: Value = toml::from_str(include_str!("example.toml")).unwrap();
    let mut set = BTreeSet::new();
    paths(&example, "", &mut set);
    let page = include_str!("keys.md").lines().skip(2);
    let keys = page.filter(|row| !row.contains("Gateway:")).filter_map(|row| row.split('`').nth(1));
    // Each of them excludes another key, and is in a comment.
    let instead = ["target[].key_file", "upstream"];
    let absent: Vec<_> = keys.filter(|key| !set.contains(*key) && !instead.contains(key)).collect();
    // The same keys as those of `traffic.adaptive`.
    let absent: Vec<_> =
        absent.into_iter().filter(|key| !key.contains("model[].adaptive.")).collect();
    assert_eq!(absent, Vec::<&str>::new());
}

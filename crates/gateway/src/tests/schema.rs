//! The part of JSON Schema that `openapi.yaml` uses.

use serde_json::Value;

/// The schemas of a document.
pub(crate) struct Schemas<'a>(&'a Value);

// === impl Schemas ===

impl<'a> Schemas<'a> {
    pub(crate) fn new(document: &'a Value) -> Self {
        Self(document)
    }

    /// What a `$ref` names, or the value itself.
    pub(crate) fn resolve(&self, value: &'a Value) -> &'a Value {
        let Some(name) = value.get("$ref") else { return value };
        let path = name.as_str().and_then(|name| name.strip_prefix('#')).unwrap();
        self.resolve(self.0.pointer(path).unwrap_or_else(|| panic!("{path} is not there")))
    }

    /// What is wrong with a value, each with its place.
    pub(crate) fn wrong(&self, schema: &'a Value, value: &Value, at: &str) -> Vec<String> {
        let schema = self.resolve(schema);
        let mut wrong = Vec::new();
        let mut check = |what: &str, holds: bool| {
            if !holds {
                wrong.push(format!("{at}: {value} is not as in {what} {}", schema[what]));
            }
        };
        for (keyword, wanted) in schema.as_object().unwrap() {
            match keyword.as_str() {
                "type" => check(keyword, has_type(wanted, value)),
                "const" => check(keyword, wanted == value),
                "enum" => check(keyword, wanted.as_array().unwrap().contains(value)),
                "minimum" => check(keyword, value.as_f64() >= wanted.as_f64()),
                "minItems" | "minLength" => check(keyword, length(value) >= wanted.as_u64()),
                "maxItems" | "maxLength" => check(keyword, length(value) <= wanted.as_u64()),
                "required" => {
                    let there = |name: &Value| value.get(name.as_str().unwrap()).is_some();
                    check(keyword, value.is_null() || wanted.as_array().unwrap().iter().all(there));
                }
                "properties" | "additionalProperties" | "items" | "description" | "default" => {}
                other => panic!("{at}: {other} is not known here"),
            }
        }
        wrong.extend(self.wrong_below(schema, value, at));
        wrong
    }

    /// The same for the items of a list and the fields of an object.
    fn wrong_below(&self, schema: &'a Value, value: &Value, at: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        if let (Some(items), Some(schema)) = (value.as_array(), schema.get("items")) {
            let of = |(n, item)| self.wrong(schema, item, &format!("{at}[{n}]"));
            wrong.extend(items.iter().enumerate().flat_map(of));
        }
        for (name, field) in value.as_object().into_iter().flatten() {
            let at = format!("{at}.{name}");
            let own = schema.get("properties").and_then(|known| known.get(name));
            match own.or(schema.get("additionalProperties")) {
                Some(Value::Bool(false)) => wrong.push(format!("{at} is not described")),
                Some(schema) => wrong.extend(self.wrong(schema, field, &at)),
                None => {}
            }
        }
        wrong
    }
}

fn length(value: &Value) -> Option<u64> {
    let length = value.as_str().map(|text| text.chars().count());
    length.or(value.as_array().map(Vec::len)).map(|length| length as u64)
}

fn has_type(wanted: &Value, value: &Value) -> bool {
    if let Some(any) = wanted.as_array() {
        return any.iter().any(|one| has_type(one, value));
    }
    match wanted.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other} is no type"),
    }
}

#[test]
fn each_kind_of_difference_from_a_schema_is_found() {
    let schema = serde_json::json!({
        "type": "object", "required": ["a"], "additionalProperties": false, "properties": {
            "a": {"type": ["integer", "null"], "minimum": 1},
            "b": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"enum": ["x", "y"]}},
            "c": {"$ref": "#/c"},
        }
    });
    let document = serde_json::json!({"c": {"type": "string", "const": "z", "maxLength": 3}});
    let wrong = |text: &str| {
        let value = serde_json::from_str(text).unwrap();
        Schemas::new(&document).wrong(&schema, &value, "it").len()
    };
    assert_eq!(wrong(r#"{"a": 1, "b": ["x", "y"], "c": "z"}"#), 0);
    let cases = [
        ("[]", 2),
        ("{}", 1),
        (r#"{"a": "1"}"#, 2),
        (r#"{"a": 0}"#, 1),
        (r#"{"a": 1, "b": []}"#, 1),
        (r#"{"a": 1, "b": ["x", "y", "x"]}"#, 1),
        (r#"{"a": 1, "b": ["w"]}"#, 1),
        (r#"{"a": 1, "c": "w"}"#, 1),
        (r#"{"a": 1, "c": "zzzz"}"#, 2),
        (r#"{"a": 1, "d": 1}"#, 1),
    ];
    for (text, count) in cases {
        assert_eq!(wrong(text), count, "{text}");
    }
}

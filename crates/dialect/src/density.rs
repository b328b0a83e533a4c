//! The number of values in a JSON text, counted without parsing it.

use memchr::memchr2;

/// The most JSON values of a body that is edited, or compared with others: 262 144. As a tree, that takes about 20 MiB.
///
/// Texts count as one value, whatever their length: prompts, images and files of any size are below it.
pub const MAX_VALUES: usize = 256 * 1024;

/// Whether a body has more than [`MAX_VALUES`] values. What is not JSON may be counted wrong.
pub(super) fn is_dense(body: &[u8]) -> bool {
    // Each value but the first takes two bytes.
    body.len() / 2 > MAX_VALUES && more_values_than(body, MAX_VALUES)
}

/// Whether there are more than `most` values: each begins the text, or follows a bracket or a comma outside of a string.
fn more_values_than(json: &[u8], most: usize) -> bool {
    let (mut count, mut at) = (1, 0);
    while at < json.len() && count <= most {
        match json[at] {
            b',' | b'[' | b'{' => count += 1,
            b'"' => at = end_of_string(json, at + 1),
            _ => {}
        }
        at += 1;
    }
    count > most
}

/// The place of the quote that ends a string, or the end of the text.
fn end_of_string(json: &[u8], mut at: usize) -> usize {
    while let Some(found) = json.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if json[at] == b'"' {
            return at;
        }
        at += 2;
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn values(value: &Value) -> usize {
        1 + match value {
            Value::Array(items) => items.iter().map(values).sum(),
            Value::Object(fields) => fields.values().map(values).sum(),
            _ => 0,
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<i32>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                proptest::collection::btree_map(".{0,4}", inner, 0..8)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn a_long_text_is_one_value_and_short_ones_are_many() {
        let text = json!({"messages": [{"content": ",[{".repeat(1_000_000)}]}).to_string();
        assert!(!is_dense(text.as_bytes()));
        assert!(is_dense(format!("[{}0]", "0,".repeat(MAX_VALUES)).as_bytes()));
        assert!(!is_dense(format!("[{}0]", "0,".repeat(MAX_VALUES - 3)).as_bytes()));
    }

    #[test]
    fn what_is_no_json_ends_too() {
        for text in ["\"", "\"\\", "{\"a\\", "[\"\\\"", ""] {
            assert!(!more_values_than(text.as_bytes(), 9), "{text}");
        }
    }

    proptest! {
        /// An empty list or object counts one too many, which only makes the bound stricter.
        #[test]
        fn law_no_value_is_missed(value in any_value()) {
            let (text, count) = (value.to_string(), values(&value));
            prop_assert!(more_values_than(text.as_bytes(), count - 1));
            prop_assert!(!more_values_than(text.as_bytes(), 2 * count));
        }
    }
}

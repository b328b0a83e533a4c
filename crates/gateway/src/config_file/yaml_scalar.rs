//! What a text of YAML without quotes is: the core schema of YAML 1.2.

use serde_json::Value;

/// A value, or a number that is none of JSON.
pub(super) enum Number {
    Finite(Value),
    Infinite,
}

/// The value of a text without quotes. `yes`, `no`, `on` and `off` are texts, as YAML 1.2 has them.
pub(super) fn plain(text: &str) -> Number {
    Number::Finite(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        text => match whole(text) {
            Some(number) => Value::from(number),
            None if is_float(text) => {
                match text.parse().ok().and_then(serde_json::Number::from_f64) {
                    Some(number) => Value::Number(number),
                    None => return Number::Infinite,
                }
            }
            None if matches!(
                text.trim_start_matches(['-', '+']).to_ascii_lowercase().as_str(),
                ".inf" | ".nan"
            ) =>
            {
                return Number::Infinite;
            }
            None => Value::from(text),
        },
    })
}

fn whole(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => match text.strip_prefix("0o") {
            Some(digits) => i64::from_str_radix(digits, 8).ok(),
            None => text.parse().ok(),
        },
    }
}

fn is_float(text: &str) -> bool {
    let digits = text.bytes().any(|b| b.is_ascii_digit());
    let first = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    digits
        && first
        && text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b))
        && text.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_without_quotes_is_what_yaml_says() {
        for (text, value) in [
            ("30s", json!("30s")),
            ("off", json!("off")),
            ("12", json!(12)),
            ("-1", json!(-1)),
            ("0x10", json!(16)),
            ("0.25", json!(0.25)),
            (".5", json!(0.5)),
            ("1e3", json!(1000.0)),
            ("1-2", json!("1-2")),
            ("2020-01-01", json!("2020-01-01")),
            ("True", json!(true)),
            ("~", json!(null)),
        ] {
            assert!(matches!(plain(text), Number::Finite(found) if found == value), "{text}");
        }
        for text in [".inf", "-.INF", ".nan", "1e999"] {
            assert!(matches!(plain(text), Number::Infinite), "{text}");
        }
    }
}

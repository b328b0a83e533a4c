//! What serde finds wrong with a tree, with its path, and without values that may be keys.

use crate::ConfigError;

/// The error at that path.
pub(super) fn reading_error(error: &serde_path_to_error::Error<serde_json::Error>) -> ConfigError {
    let (path, message) = (error.path().to_string(), error.inner().to_string());
    let at = |name: Option<&str>| match (&*path, name) {
        ("." | "?", None) => "the configuration".to_owned(),
        ("." | "?", Some(name)) => name.to_owned(),
        (path, None) => path.to_owned(),
        // The path may end in the name already.
        (path, Some(name)) if path == name || path.ends_with(&format!(".{name}")) => {
            path.to_owned()
        }
        (path, Some(name)) => format!("{path}.{name}"),
    };
    let quoted = message.split('`').nth(1);
    if message.starts_with("unknown field") {
        let name = quoted.unwrap_or_default();
        let known = message.split_once(", expected").map_or("", |(_, known)| known);
        let reason = unknown(name, known);
        // A key that was pasted in the place of a name is not shown.
        let named = reason.ends_with('?') || is_name(name);
        let field = if named { at(Some(name)) } else { at(None).replace(name, "…") };
        return ConfigError::because(field, reason);
    }
    if message.starts_with("missing field") {
        return ConfigError::because(at(quoted), "is missing; it has to be there");
    }
    ConfigError::because(at(None), wrong_type(&message))
}

/// Why a name is not known: the nearest name, or all of them. `known` is a text with each in backquotes.
fn unknown(name: &str, known: &str) -> String {
    let known: Vec<_> = known.split('`').skip(1).step_by(2).collect();
    match nearest(name, &known) {
        Some(near) => format!("is an unknown field; did you mean `{near}`?"),
        None if is_secret(name) => "is not read from a file; allowed is key_env, the name of a variable of the environment that holds the key, or key_file".into(),
        None => format!("is an unknown field; allowed is one of {}", known.join(", ")),
    }
}

/// The name that was meant: a few letters differ.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = name.to_ascii_lowercase().replace('-', "_");
    let distance = |known: &&&str| strsim::osa_distance(&plain, known);
    let near = known.iter().min_by_key(distance)?;
    let few = (near.len().min(plain.len()) + 1) / 3;
    (distance(&near) <= few.max(1)).then_some(*near)
}

/// Whether the name of a field is that of a secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words = ["key", "bearer", "secret", "password", "auth", "credential"];
    words.iter().any(|word| name.contains(word)) || name == "token"
}

/// Whether a text has the form of a name: no key of an API does without digits.
fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphabetic() || b == b'_' || b == b'-';
    (1..=40).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with("sk-")
}

/// A message of serde about a value of the wrong type, in the words of a configuration and without the value.
fn wrong_type(message: &str) -> String {
    let Some(rest) = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))
        .or_else(|| message.strip_prefix("invalid length "))
    else {
        return message.to_owned();
    };
    let (found, expected) = rest.rsplit_once(", expected ").unwrap_or((rest, "another value"));
    let found = found.split(['"', '`']).next().unwrap_or_default().trim();
    let found = match found {
        "string" => "a text",
        "integer" | "floating point" => "a number",
        "boolean" => "true or false",
        "sequence" => "a list",
        "map" => "a table",
        "null" => "nothing",
        _ => "of another length",
    };
    format!("is {found}; allowed is {}", allowed(expected))
}

/// What serde expects, in the words of a configuration.
fn allowed(expected: &str) -> &str {
    match expected {
        "a string" => "a text",
        "a boolean" => "true or false",
        "f64" => "a number",
        "u8" | "u16" | "u32" | "u64" | "i64" => "a whole number",
        "a sequence" => "a list",
        "a map" => "a table",
        "an array of length 2" => "a list of two",
        other if other.starts_with("struct ") => "a table",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_the_one_that_was_meant() {
        let known = ["name", "model", "base_url", "max_tokens", "without_tools"];
        for (name, near) in [
            ("modle", Some("model")),
            ("Model", Some("model")),
            ("base-url", Some("base_url")),
            ("max_token", Some("max_tokens")),
            ("without_tool", Some("without_tools")),
            ("nmae", Some("name")),
            ("temperature", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, &known), near, "{name}");
        }
    }

    #[test]
    fn names_of_secrets_are_those_that_hold_one() {
        for name in ["api_key", "bearer", "Authorization", "token", "client_secret"] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["max_token", "tokens", "modle"] {
            assert!(!is_secret(name), "{name}");
        }
    }
}

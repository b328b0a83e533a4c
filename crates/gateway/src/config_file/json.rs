//! JSON.

use evenkeel::config::read_tree;
use serde_json::{Deserializer, Error, Value};

use super::{
    lines::Lines,
    syntax_error::{SyntaxError, key_on},
    yaml,
};

/// The tree of a text, and the lines of its keys.
pub(super) fn parse(text: &str) -> Result<(Value, Lines), SyntaxError> {
    let mut deserializer = Deserializer::from_str(text);
    let value = read_tree(&mut deserializer).map_err(|error| located(text, &error))?;
    deserializer.end().map_err(|error| located(text, &error))?;
    // YAML has nearly all of JSON. Where it has not, errors are about the first line.
    let lines = yaml::parse(text).map(|(_, lines)| lines).unwrap_or_default();
    Ok((value, lines))
}

fn located(text: &str, error: &Error) -> SyntaxError {
    let line = error.line().max(1);
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let key = key_on(text, line, ':');
    match message.split_once("; allowed is ") {
        Some(_) => SyntaxError::plain(line, key, message),
        None => SyntaxError::new(line, key, "JSON", message),
    }
}

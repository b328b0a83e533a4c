//! TOML.

use evenkeel::config::read_tree;
use serde_json::Value;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use super::{
    lines::{LineStarts, Lines, key_path},
    syntax_error::{SyntaxError, key_on},
};

/// The tree of a text, and the lines of its keys.
pub(super) fn parse(text: &str) -> Result<(Value, Lines), SyntaxError> {
    let wrong = |error: Error| located(text, &error);
    let value = read_tree(Deserializer::parse(text).map_err(wrong)?).map_err(wrong)?;
    let (mut lines, starts) = (Lines::default(), LineStarts::new(text));
    add_table(&mut lines, &starts, "", DeTable::parse(text).map_err(wrong)?.get_ref());
    Ok((value, lines))
}

fn located(text: &str, error: &Error) -> SyntaxError {
    let line = LineStarts::new(text).line_at(error.span().map_or(0, |span| span.start));
    let (key, message) = (key_on(text, line, '='), error.message());
    // What is refused of well-formed TOML.
    match message.split_once("; allowed is ") {
        Some(_) => SyntaxError::plain(line, key, message),
        None => SyntaxError::new(line, key, "TOML", message),
    }
}

fn add_table(lines: &mut Lines, starts: &LineStarts, path: &str, table: &DeTable<'_>) {
    for (key, value) in table {
        let path = key_path(path, key.get_ref());
        lines.add(&path, starts.line_at(key.span().start));
        add_value(lines, starts, &path, value.get_ref());
    }
}

fn add_value(lines: &mut Lines, starts: &LineStarts, path: &str, value: &DeValue<'_>) {
    match value {
        DeValue::Table(table) => add_table(lines, starts, path, table),
        DeValue::Array(list) => {
            for (nth, value) in list.iter().enumerate() {
                let path = format!("{path}[{nth}]");
                lines.add(&path, starts.line_at(value.span().start));
                add_value(lines, starts, &path, value.get_ref());
            }
        }
        _ => {}
    }
}

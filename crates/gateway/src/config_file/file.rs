//! A configuration file, and errors in it.

use std::path::Path;

use evenkeel::{ConfigError, config::Config};
use serde_json::Value;

use super::{json, lines::Lines, syntax_error::SyntaxError, toml_text, yaml};

/// A configuration, and where its keys are in the file.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    name: String,
    lines: Lines,
    pub(crate) config: Config,
}

/// A larger file is refused unread.
const MAX_BYTES: u64 = 1024 * 1024;

// === impl ConfigFile ===

impl ConfigFile {
    /// Parses the text of a file.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, String> {
        let name = path.display().to_string();
        // An editor of another system may put a mark before the text.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let extension = path.extension().and_then(|extension| extension.to_str());
        let parse: fn(&str) -> Result<(Value, Lines), SyntaxError> = match extension {
            Some("yaml" | "yml") => yaml::parse,
            Some("json") => json::parse,
            _ => toml_text::parse,
        };
        let (value, lines) = parse(text)
            .map_err(|SyntaxError { line, what }| one_line(format!("{name}:{line}: {what}")))?;
        let file = Self { name, lines, config: Config::default() };
        match Config::from_value(value) {
            Ok(config) => Ok(Self { config, ..file }),
            Err(error) => Err(file.error(&error)),
        }
    }

    /// `FILE:LINE: key: what is wrong`.
    pub(crate) fn error(&self, error: &ConfigError) -> String {
        self.error_at(error.field(), error.reason())
    }

    pub(crate) fn error_at(&self, key: &str, what: &str) -> String {
        one_line(format!("{}:{}: {key}: {what}", self.name, self.lines.of(key)))
    }
}

/// Reads the text of a file. The error is one line.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    text(path).map_err(|what| one_line(format!("{}: {what}", path.display())))
}

fn text(path: &Path) -> Result<String, String> {
    let length = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > MAX_BYTES {
        return Err("the file is larger than 1 MiB".into());
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

/// One line without control characters, whatever a file or an argument holds. Of a long one the beginning and the end are kept: the
/// key, and what is allowed.
pub(crate) fn one_line(error: impl std::fmt::Display) -> String {
    let text = error.to_string();
    let words: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.len() <= LONGEST_LINE {
        return line;
    }
    let boundary = |at: usize| (at..line.len()).find(|at| line.is_char_boundary(*at));
    let [head, tail] = [LONGEST_LINE / 2, line.len() - LONGEST_LINE / 2]
        .map(|at| boundary(at).unwrap_or(line.len()));
    format!("{} … {}", &line[..head], &line[tail..])
}

/// The longest line of an error, in bytes.
const LONGEST_LINE: usize = 2000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_keeps_its_beginning_and_its_end() {
        let line = one_line(format!("a.toml:7: key: is \"{}\"; allowed is less", "ä".repeat(9000)));
        assert!(
            line.starts_with("a.toml:7: key: is \"ä") && line.ends_with("ä\"; allowed is less")
        );
        assert!((1900..2100).contains(&line.len()), "{}", line.len());
        assert_eq!(one_line("a\n\tb\u{1b}[1m c"), "a b [1m c");
    }
}

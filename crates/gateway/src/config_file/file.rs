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

/// One line without control characters, whatever a file or an argument holds.
pub(crate) fn one_line(error: impl std::fmt::Display) -> String {
    let text = error.to_string();
    let words: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

//! Reads the prompts, one per line. A file may have any length, because only one line is in memory at a time.

use std::{
    collections::HashSet,
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::BoxError;

/// One prompt.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Prompt {
    pub(crate) id: String,
    /// The messages in the format of the API.
    pub(crate) messages: Value,
}

/// Reads the prompts of a file in order.
#[derive(Debug)]
pub(crate) struct Prompts {
    lines: BufReader<File>,
    path: PathBuf,
    /// The number of the last line that was read.
    line: usize,
}

/// The maximum length of a line, in bytes.
const MAX_LINE_LENGTH: u64 = 4 * 1024 * 1024;

// === impl Prompts ===

impl Prompts {
    pub(crate) fn open(path: &Path) -> Result<Self, BoxError> {
        let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { lines: BufReader::new(file), path: path.into(), line: 0 })
    }

    /// Validates the whole file and returns the number of prompts. An invalid line is found before any prompt is sent.
    ///
    /// # Errors
    ///
    /// If a line is invalid or an id occurs twice.
    pub(crate) fn check(path: &Path) -> Result<usize, BoxError> {
        let (mut prompts, mut ids) = (Self::open(path)?, HashSet::new());
        while let Some(prompt) = prompts.next()? {
            if ids.contains(&prompt.id) {
                let reason =
                    format!("id must be unique (got {:?}, as in an earlier line)", prompt.id);
                return Err(prompts.line_error(&reason));
            }
            ids.insert(prompt.id);
        }
        Ok(ids.len())
    }

    /// The next prompt, or `None` at the end of the file. Blank lines are skipped.
    pub(crate) fn next(&mut self) -> Result<Option<Prompt>, BoxError> {
        loop {
            let mut line = Vec::new();
            let length = (&mut self.lines).take(MAX_LINE_LENGTH + 1).read_until(b'\n', &mut line);
            if length.map_err(|error| format!("{}: {error}", self.path.display()))? == 0 {
                return Ok(None);
            }
            self.line += 1;
            if line.len() as u64 > MAX_LINE_LENGTH {
                return Err(self.line_error("the line must be at most 4 MiB long"));
            }
            if !line.trim_ascii().is_empty() {
                let prompt = self.parse(&line).map_err(|reason| self.line_error(&reason))?;
                return Ok(Some(prompt));
            }
        }
    }

    fn parse(&self, line: &[u8]) -> Result<Prompt, String> {
        // The error names the position but shows nothing of the line, which may be confidential.
        let value: Value = serde_json::from_slice(line).map_err(|error| {
            format!("the line must be JSON (error at column {})", error.column())
        })?;
        let id = match &value["id"] {
            Value::String(id) if !id.is_empty() => id.clone(),
            Value::Number(id) => id.to_string(),
            Value::Null => format!("line-{}", self.line),
            _ => return Err("id must be a number or a text that is not empty".into()),
        };
        let messages = match (&value["prompt"], &value["messages"]) {
            (Value::String(prompt), Value::Null) => json!([{"role": "user", "content": prompt}]),
            (Value::Null, Value::Array(messages)) if !messages.is_empty() => json!(messages),
            _ => {
                return Err(
                    "the line must have either a text as prompt or a list as messages".into()
                );
            }
        };
        Ok(Prompt { id, messages })
    }

    fn line_error(&self, reason: &str) -> BoxError {
        format!("{}:{}: {reason}", self.path.display(), self.line).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("evenkeel-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn prompts_and_messages_are_read_and_a_missing_id_is_the_line_number() {
        let path = file(
            "good",
            "{\"id\":\"a\",\"prompt\":\"x\"}\n\n{\"id\":7,\"messages\":[{}]}\n{\"prompt\":\"y\"}",
        );
        assert_eq!(Prompts::check(&path).unwrap(), 3);
        let mut prompts = Prompts::open(&path).unwrap();
        let ids: Vec<_> =
            std::iter::from_fn(|| prompts.next().unwrap()).map(|prompt| prompt.id).collect();
        assert_eq!(ids, ["a", "7", "line-4"]);
    }

    #[test]
    fn the_error_on_an_invalid_line_has_its_number_and_not_its_content() {
        for (text, starts) in [
            ("{\"prompt\":\"secret\"}\nsecret {", "2: the line must be JSON"),
            ("{\"prompt\":7}", "1: the line must have either"),
            ("{\"id\":[],\"prompt\":\"secret\"}", "1: id must be a number"),
            (
                "{\"id\":\"a\",\"prompt\":\"x\"}\n{\"id\":\"a\",\"prompt\":\"y\"}",
                "2: id must be unique (got \"a\"",
            ),
        ] {
            let path = file("wrong", text);
            let error = Prompts::check(&path).unwrap_err().to_string();
            let text = error.strip_prefix(&format!("{}:", path.display())).unwrap();
            assert!(text.starts_with(starts) && !text.contains("secret"), "{text}");
        }
        assert!(Prompts::check(Path::new("/no/such/file")).is_err());
    }
}

//! The prompts: one a line, read one by one, so that a file of any length fits.

use std::{
    collections::HashSet,
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::Failure;

/// One prompt.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Prompt {
    pub(crate) id: String,
    /// The messages, in the API's words.
    pub(crate) messages: Value,
}

/// The prompts of a file, in order.
#[derive(Debug)]
pub(crate) struct Prompts {
    lines: BufReader<File>,
    path: PathBuf,
    line: usize,
}

/// The longest line.
const LONGEST: u64 = 4 * 1024 * 1024;

// === impl Prompts ===

impl Prompts {
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { lines: BufReader::new(file), path: path.into(), line: 0 })
    }

    /// Reads the file to its end before anything is asked: a line that is wrong is found before money is spent. Tells how
    /// many prompts there are.
    pub(crate) fn check(path: &Path) -> Result<usize, Failure> {
        let (mut prompts, mut ids) = (Self::open(path)?, HashSet::new());
        while let Some(prompt) = prompts.next()? {
            if ids.contains(&prompt.id) {
                let wrong = format!(
                    "id is {:?}, which an earlier line has; allowed is one of its own",
                    prompt.id
                );
                return Err(prompts.wrong(&wrong));
            }
            ids.insert(prompt.id);
        }
        Ok(ids.len())
    }

    /// The next prompt; `None` at the end of the file. Blank lines are none.
    pub(crate) fn next(&mut self) -> Result<Option<Prompt>, Failure> {
        loop {
            let mut line = Vec::new();
            let read = (&mut self.lines).take(LONGEST + 1).read_until(b'\n', &mut line);
            if read.map_err(|error| format!("{}: {error}", self.path.display()))? == 0 {
                return Ok(None);
            }
            self.line += 1;
            if line.len() as u64 > LONGEST {
                return Err(self.wrong("it is too long; allowed are 4 MiB"));
            }
            if !line.trim_ascii().is_empty() {
                let prompt = self.prompt(&line).map_err(|wrong| self.wrong(&wrong))?;
                return Ok(Some(prompt));
            }
        }
    }

    fn prompt(&self, line: &[u8]) -> Result<Prompt, String> {
        // What is wrong with the JSON is told without what stands in it.
        let value: Value = serde_json::from_slice(line)
            .map_err(|error| format!("it is no JSON, at column {}", error.column()))?;
        let id = match &value["id"] {
            Value::String(id) if !id.is_empty() => id.clone(),
            Value::Number(id) => id.to_string(),
            Value::Null => format!("line-{}", self.line),
            _ => return Err("id is none; allowed is a text or a number".into()),
        };
        let messages = match (&value["prompt"], &value["messages"]) {
            (Value::String(prompt), Value::Null) => json!([{"role": "user", "content": prompt}]),
            (Value::Null, Value::Array(messages)) if !messages.is_empty() => json!(messages),
            _ => {
                return Err(
                    "it has no prompt; allowed is a text as prompt, or a list as messages".into()
                );
            }
        };
        Ok(Prompt { id, messages })
    }

    fn wrong(&self, what: &str) -> Failure {
        format!("{}:{}: {what}", self.path.display(), self.line).into()
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
    fn prompts_and_messages_are_read_and_a_line_without_an_id_has_its_number() {
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
    fn a_line_that_is_wrong_is_named_and_not_shown() {
        for (text, starts) in [
            ("{\"prompt\":\"secret\"}\nsecret {", "2: it is no JSON"),
            ("{\"prompt\":7}", "1: it has no prompt"),
            ("{\"id\":[],\"prompt\":\"secret\"}", "1: id is none"),
            ("{\"id\":\"a\",\"prompt\":\"x\"}\n{\"id\":\"a\",\"prompt\":\"y\"}", "2: id is \"a\""),
        ] {
            let path = file("wrong", text);
            let error = Prompts::check(&path).unwrap_err().to_string();
            let told = error.strip_prefix(&format!("{}:", path.display())).unwrap();
            assert!(told.starts_with(starts) && !told.contains("secret"), "{told}");
        }
        assert!(Prompts::check(Path::new("/no/such/file")).is_err());
    }
}

//! The output, which is also the journal: one line for each answer. A line that a kill cut off is removed at the next start.

use std::{
    collections::HashSet,
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::BoxError;

/// The ids of the answered prompts and the file to which answers are appended.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    answered: HashSet<String>,
    failures_path: PathBuf,
    /// The list of failures, created with its first line.
    failures: Option<File>,
}

// === impl Journal ===

impl Journal {
    /// Opens the output and removes a last line that is incomplete. Its prompt is sent again.
    ///
    /// # Errors
    ///
    /// If another run writes to the same output, or a line is not an answer.
    pub(crate) fn open(path: &Path) -> Result<Self, BoxError> {
        let with_path =
            |error: std::io::Error| -> BoxError { format!("{}: {error}", path.display()).into() };
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path);
        let mut file = file.map_err(with_path)?;
        lock(&file).map_err(|()| format!("{}: another run writes to this file", path.display()))?;
        let Lines { ids, end } = read(&file, path)?;
        file.set_len(end).map_err(with_path)?;
        file.seek(SeekFrom::End(0)).map_err(with_path)?;
        let mut failures_path = path.as_os_str().to_owned();
        failures_path.push(".failed");
        let failures_path = PathBuf::from(failures_path);
        // This run sends the prompts again that failed before.
        if failures_path.exists() {
            std::fs::remove_file(&failures_path).map_err(with_path)?;
        }
        Ok(Self { file, answered: ids, failures_path, failures: None })
    }

    /// Whether the prompt has an answer.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.answered.contains(id)
    }

    /// The number of answered prompts.
    pub(crate) fn len(&self) -> usize {
        self.answered.len()
    }

    /// Appends an answer. The line is one write, so that it survives a kill of the process.
    pub(crate) fn answer(&mut self, id: &str, line: &Value) -> Result<(), BoxError> {
        self.file.write_all(format!("{line}\n").as_bytes())?;
        self.answered.insert(id.to_owned());
        Ok(())
    }

    /// Appends a prompt that no target could answer to the list of failures.
    pub(crate) fn failure(&mut self, line: &Value) -> Result<(), BoxError> {
        if self.failures.is_none() {
            self.failures = Some(File::create(&self.failures_path)?);
        }
        match &mut self.failures {
            Some(file) => Ok(file.write_all(format!("{line}\n").as_bytes())?),
            None => unreachable!("the file was created above"),
        }
    }

    /// The path of the list of failures.
    pub(crate) fn failures_path(&self) -> &Path {
        &self.failures_path
    }
}

/// The complete lines of an output.
#[derive(Default)]
struct Lines {
    ids: HashSet<String>,
    /// The offset after the last complete line.
    end: u64,
}

/// Reads all complete lines.
fn read(file: &File, path: &Path) -> Result<Lines, BoxError> {
    let (mut read, mut number) = (Lines::default(), 0);
    let mut lines = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = lines.read_until(b'\n', &mut line)?;
        number += 1;
        if length == 0 || line.last() != Some(&b'\n') {
            return Ok(read);
        }
        let id = serde_json::from_slice::<Value>(&line).ok();
        let Some(id) = id.as_ref().and_then(|line| line["id"].as_str()) else {
            let reason = "the line must be an answer of an earlier run";
            return Err(format!("{}:{number}: {reason}", path.display()).into());
        };
        read.ids.insert(id.to_owned());
        read.end += length as u64;
    }
}

#[cfg(unix)]
fn lock(file: &File) -> Result<(), ()> {
    use rustix::fs::{FlockOperation, flock};
    flock(file, FlockOperation::NonBlockingLockExclusive).map_err(drop)
}

#[cfg(not(unix))]
fn lock(_: &File) -> Result<(), ()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("evenkeel-{}-{name}.out", std::process::id()));
        let _ = std::fs::remove_file(&path);
        path
    }

    #[test]
    fn answers_are_kept_when_the_output_is_opened_again() {
        let path = path("again");
        let mut journal = Journal::open(&path).unwrap();
        journal.answer("a", &json!({"id": "a"})).unwrap();
        drop(journal);
        let mut journal = Journal::open(&path).unwrap();
        assert!(journal.has("a") && !journal.has("b"));
        journal.answer("b", &json!({"id": "b"})).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"id\":\"a\"}\n{\"id\":\"b\"}\n");
    }

    #[test]
    fn an_incomplete_line_is_removed_wherever_it_was_cut() {
        let whole = "{\"id\":\"a\"}\n{\"id\":\"bü\"}\n";
        for cut in 0..=whole.len() {
            let path = path("cut");
            std::fs::write(&path, &whole.as_bytes()[..cut]).unwrap();
            let journal = Journal::open(&path).unwrap();
            let lines = whole.as_bytes()[..cut].iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(journal.len(), lines, "{cut}");
            let kept = std::fs::read(&path).unwrap();
            assert!(kept.is_empty() || kept.ends_with(b"\n"), "{cut}");
        }
    }

    #[test]
    fn a_file_with_other_content_is_not_changed() {
        let path = path("else");
        std::fs::write(&path, "my notes\n").unwrap();
        let error = Journal::open(&path).unwrap_err().to_string();
        assert!(error.contains(":1: the line must be an answer"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "my notes\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_second_run_on_the_same_output_is_rejected() {
        let path = path("twice");
        let first = Journal::open(&path).unwrap();
        assert!(Journal::open(&path).unwrap_err().to_string().contains("another run"));
        drop(first);
        assert!(Journal::open(&path).is_ok());
    }

    #[test]
    fn failures_are_listed_in_their_own_file_until_the_next_run() {
        let path = path("failed");
        let mut journal = Journal::open(&path).unwrap();
        journal.failure(&json!({"id": "x"})).unwrap();
        let failures = journal.failures_path().to_owned();
        assert_eq!(std::fs::read_to_string(&failures).unwrap(), "{\"id\":\"x\"}\n");
        assert!(!journal.has("x"));
        drop(journal);
        Journal::open(&path).unwrap();
        assert!(!failures.exists());
    }
}

//! The output, which is the journal too: a line for each answer, written whole or, by a kill, not.

use std::{
    collections::HashSet,
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::Failure;

/// The answers so far, and the file where more are added.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    done: HashSet<String>,
    failed: PathBuf,
    failures: Option<File>,
}

// === impl Journal ===

impl Journal {
    /// Opens the output. A last line that a kill cut off is taken away: its prompt is asked again.
    ///
    /// Nobody else may write there meanwhile: a second run on the same output is refused.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let told =
            |error: std::io::Error| -> Failure { format!("{}: {error}", path.display()).into() };
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path);
        let mut file = file.map_err(told)?;
        lock(&file).map_err(|()| format!("{}: another run writes there", path.display()))?;
        let (done, whole) = read(&file, path)?;
        file.set_len(whole).map_err(told)?;
        file.seek(SeekFrom::End(0)).map_err(told)?;
        let mut failed = path.as_os_str().to_owned();
        failed.push(".failed");
        let failed = PathBuf::from(failed);
        // What failed before is asked again now.
        if failed.exists() {
            std::fs::remove_file(&failed).map_err(told)?;
        }
        Ok(Self { file, done, failed, failures: None })
    }

    /// Whether that prompt has its answer.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.done.contains(id)
    }

    /// How many prompts have their answers.
    pub(crate) fn len(&self) -> usize {
        self.done.len()
    }

    /// Adds an answer: one write of one line, which the system keeps whatever becomes of this process.
    pub(crate) fn answer(&mut self, id: &str, line: &Value) -> Result<(), Failure> {
        self.file.write_all(format!("{line}\n").as_bytes())?;
        self.done.insert(id.to_owned());
        Ok(())
    }

    /// Adds one that nobody could answer, in a file beside it.
    pub(crate) fn failure(&mut self, line: &Value) -> Result<(), Failure> {
        if self.failures.is_none() {
            self.failures = Some(File::create(&self.failed)?);
        }
        match &mut self.failures {
            Some(file) => Ok(file.write_all(format!("{line}\n").as_bytes())?),
            None => unreachable!("it was made just above"),
        }
    }

    /// Where those are that nobody could answer.
    pub(crate) fn failed(&self) -> &Path {
        &self.failed
    }
}

/// The ids of all whole lines, and where the last of them ends.
fn read(file: &File, path: &Path) -> Result<(HashSet<String>, u64), Failure> {
    let (mut done, mut whole, mut number) = (HashSet::new(), 0, 0);
    let mut lines = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = lines.read_until(b'\n', &mut line)?;
        number += 1;
        if length == 0 || line.last() != Some(&b'\n') {
            return Ok((done, whole));
        }
        let id = serde_json::from_slice::<Value>(&line).ok();
        let Some(id) = id.as_ref().and_then(|line| line["id"].as_str()) else {
            let allowed = "allowed is the output of an earlier run, or none";
            return Err(format!("{}:{number}: it is no answer; {allowed}", path.display()).into());
        };
        done.insert(id.to_owned());
        whole += length as u64;
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
    fn what_is_written_is_there_when_it_is_opened_again() {
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
    fn half_a_line_is_taken_away_wherever_it_was_cut() {
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
    fn a_file_of_something_else_is_left_as_it_is() {
        let path = path("else");
        std::fs::write(&path, "my notes\n").unwrap();
        let error = Journal::open(&path).unwrap_err().to_string();
        assert!(error.contains(":1: it is no answer"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "my notes\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_second_run_on_the_same_output_is_refused() {
        let path = path("twice");
        let first = Journal::open(&path).unwrap();
        assert!(Journal::open(&path).unwrap_err().to_string().contains("another run"));
        drop(first);
        assert!(Journal::open(&path).is_ok());
    }

    #[test]
    fn what_failed_is_listed_beside_and_asked_again_by_the_next_run() {
        let path = path("failed");
        let mut journal = Journal::open(&path).unwrap();
        journal.failure(&json!({"id": "x"})).unwrap();
        let failed = journal.failed().to_owned();
        assert_eq!(std::fs::read_to_string(&failed).unwrap(), "{\"id\":\"x\"}\n");
        assert!(!journal.has("x"));
        drop(journal);
        Journal::open(&path).unwrap();
        assert!(!failed.exists());
    }
}

//! The lines of the keys of a file.

use std::collections::BTreeMap;

/// The line of each key, by its path: `target[1].base_url`.
#[derive(Debug, Default)]
pub(crate) struct Lines(BTreeMap<String, usize>);

// === impl Lines ===

impl Lines {
    /// Records the line of a key or of an item of a list.
    pub(super) fn add(&mut self, path: &str, line: usize) {
        self.0.insert(path.to_owned(), line);
    }

    /// The line of a key; of a key that is not there, that of the table in which it would be.
    pub(super) fn of(&self, path: &str) -> usize {
        let mut path = path;
        loop {
            if let Some(line) = self.0.get(path) {
                return *line;
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = &path[..end],
                None => return 1,
            }
        }
    }
}

/// The line of a position in bytes.
pub(super) fn line_at(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// The path of a key in a table.
pub(super) fn key_path(table: &str, key: &str) -> String {
    if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") }
}

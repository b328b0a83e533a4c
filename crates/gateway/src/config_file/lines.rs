//! The lines of the keys of a file.

use std::collections::BTreeMap;

/// The line of each key, by its path: `target[1].base_url`. Bounded: of more or longer paths, the line of their table is known.
#[derive(Debug, Default)]
pub(crate) struct Lines(BTreeMap<String, usize>);

/// The most paths, and the longest one in bytes. No key of a configuration has a longer path.
const MOST: usize = 20_000;
const LONGEST: usize = 256;

/// Where the lines of a text begin.
#[derive(Debug)]
pub(super) struct LineStarts(Vec<usize>);

// === impl Lines ===

impl Lines {
    /// Records the line of a key or of an item of a list.
    pub(super) fn add(&mut self, path: &str, line: usize) {
        if path.len() <= LONGEST && self.0.len() < MOST {
            self.0.insert(path.to_owned(), line);
        }
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

// === impl LineStarts ===

impl LineStarts {
    pub(super) fn new(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self([0].into_iter().chain(breaks.map(|(at, _)| at + 1)).collect())
    }

    /// The line of a position in bytes.
    pub(super) fn line_at(&self, at: usize) -> usize {
        self.0.partition_point(|start| *start <= at).max(1)
    }
}

/// The path of a key in a table.
pub(super) fn key_path(table: &str, key: &str) -> String {
    if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_on_the_line_that_begins_before_it() {
        let starts = LineStarts::new("ab\n\nc\n");
        let lines: Vec<_> = (0..7).map(|at| starts.line_at(at)).collect();
        assert_eq!(lines, [1, 1, 1, 2, 3, 3, 4]);
        assert_eq!(LineStarts::new("").line_at(9), 1);
    }

    #[test]
    fn the_lines_are_bounded_and_what_is_beyond_has_that_of_its_table() {
        let mut lines = Lines::default();
        lines.add("table", 7);
        lines.add(&format!("table.{}", "k".repeat(LONGEST)), 8);
        (0..MOST * 2).for_each(|at| lines.add(&format!("list[{at}]"), 9));
        assert_eq!(lines.0.len(), MOST);
        assert_eq!(lines.of(&format!("table.{}", "k".repeat(LONGEST))), 7);
    }
}

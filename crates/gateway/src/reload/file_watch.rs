//! Decides when the text of a file is taken. Pure: what was read is an argument.

/// What was read: a text, or why there is none.
pub(super) type Content = Result<String, String>;

/// The reads of a file so far.
#[derive(Debug)]
pub(super) struct FileWatch {
    /// The content that was taken last, whether it was right or wrong.
    taken: Content,
    /// Another content, if the last read had one.
    other: Option<Content>,
}

// === impl FileWatch ===

impl FileWatch {
    /// A watch that begins with a content that is in use.
    pub(super) fn new(taken: Content) -> Self {
        Self { taken, other: None }
    }

    /// Returns the content to take, if another one was read twice in a row. An editor may still be writing what was read once, or
    /// have emptied the file to write it.
    pub(super) fn read(&mut self, content: Content) -> Option<&Content> {
        if content == self.taken {
            self.other = None;
            return None;
        }
        let is_same = self.other.as_ref() == Some(&content);
        let is_empty = content.as_ref().is_ok_and(|text| text.trim().is_empty());
        if !is_same || is_empty {
            self.other = Some(content);
            return None;
        }
        Some(self.take(content))
    }

    /// Takes a content on request.
    pub(super) fn take(&mut self, content: Content) -> &Content {
        (self.taken, self.other) = (content, None);
        &self.taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Content {
        Ok(text.to_owned())
    }

    fn missing() -> Content {
        Err("no such file".to_owned())
    }

    fn taken(watch: &mut FileWatch, contents: &[Content]) -> Vec<Content> {
        contents.iter().filter_map(|it| watch.read(it.clone()).cloned()).collect()
    }

    #[test]
    fn a_text_is_taken_once_when_two_reads_agree() {
        let mut watch = FileWatch::new(text("a = 1"));
        let reads = [text("a = 1"), text("a ="), text("a = 2"), text("a = 2"), text("a = 2")];
        assert_eq!(taken(&mut watch, &reads), [text("a = 2")]);
    }

    #[test]
    fn a_file_that_is_written_back_or_is_missing_for_a_moment_changes_nothing() {
        let mut watch = FileWatch::new(text("a = 1"));
        let reads =
            [missing(), text("a = 1"), text("a = 2"), text("a = 1"), text("a = 2"), missing()];
        assert_eq!(taken(&mut watch, &reads), [] as [Content; 0]);
    }

    #[test]
    fn a_file_that_stays_away_is_reported_once_and_taken_when_it_returns() {
        let mut watch = FileWatch::new(text("a = 1"));
        let reads = [missing(), missing(), missing(), text("a = 1"), text("a = 1")];
        assert_eq!(taken(&mut watch, &reads), [missing(), text("a = 1")]);
    }

    #[test]
    fn an_empty_file_is_taken_on_request_alone() {
        let mut watch = FileWatch::new(text("a = 1"));
        assert_eq!(taken(&mut watch, &[text(" \n"), text(" \n"), text(" \n")]), [] as [Content; 0]);
        assert_eq!(watch.take(text("")), &text(""));
        assert_eq!(taken(&mut watch, &[text(""), text("")]), [] as [Content; 0]);
    }
}

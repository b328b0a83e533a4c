//! Errors of a text that is not of its format.

/// A text that is not of its format: the line, and what is wrong with it, without a value of the file: that may be a key.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    pub(crate) line: usize,
    pub(crate) what: String,
}

// === impl SyntaxError ===

impl SyntaxError {
    /// `message` is that of a parser, of which nothing is shown from the first value in quotes on.
    pub(super) fn new(line: usize, key: &str, format: &str, message: &str) -> Self {
        let shown = message.split(['"', '`', '\'', '\n']).next().unwrap_or_default();
        let shown = shown.trim().trim_end_matches([',', ':']);
        Self { line, what: format!("{key}: is no {format} ({shown})") }
    }

    /// An error whose message has no values of the file.
    pub(super) fn plain(line: usize, key: &str, message: &str) -> Self {
        Self { line, what: format!("{key}: {message}") }
    }
}

/// The key on a line of the text; `syntax` for a line without one.
pub(super) fn key_on(text: &str, line: usize, separator: char) -> &str {
    let line = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let key = line.split(separator).next().unwrap_or_default().trim().trim_matches('"');
    let plain = |c: char| c.is_ascii_alphabetic() || "_.[]".contains(c);
    match key.len() {
        1..=40 if key.chars().all(plain) => key,
        _ => "syntax",
    }
}

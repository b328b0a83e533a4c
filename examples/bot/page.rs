//! The conversation, and how it is broken into rows.

use std::collections::VecDeque;

use crate::assistant::Said;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    You,
    Bot,
    Sorry,
    Why,
    Note,
}

/// The conversation so far: its last entries.
#[derive(Default)]
pub(crate) struct Page {
    entries: VecDeque<(Voice, String)>,
    /// In the middle of an answer a note would tear it apart: it waits for the end.
    notes: Vec<String>,
    answering: bool,
}

/// One row of the screen.
pub(crate) struct Row {
    pub(crate) voice: Voice,
    pub(crate) text: String,
}

// === impl Page ===

impl Page {
    /// How many entries are kept.
    const MOST: usize = 200;

    /// A question was asked.
    pub(crate) fn you(&mut self, question: &str) {
        self.add(Voice::You, question.into());
        self.answering = true;
    }

    /// The next piece of the answer.
    pub(crate) fn said(&mut self, said: Said) {
        match said {
            Said::Words(words) => match self.entries.back_mut() {
                Some((Voice::Bot, text)) => text.push_str(&words),
                _ => self.add(Voice::Bot, words),
            },
            Said::Sorry(text) => {
                if let Some((Voice::Bot, begun)) = self.entries.back_mut() {
                    begun.push('…');
                }
                self.add(Voice::Sorry, text);
            }
            Said::Why(text) => self.add(Voice::Why, text),
        }
    }

    /// The answer is over, whole or not.
    pub(crate) fn over(&mut self) {
        self.answering = false;
        for note in std::mem::take(&mut self.notes) {
            self.add(Voice::Note, note);
        }
    }

    pub(crate) fn note(&mut self, text: String) {
        match self.answering {
            true => self.notes.push(text),
            false => self.add(Voice::Note, text),
        }
    }

    /// The last rows that fit.
    pub(crate) fn rows(&self, width: usize, height: usize) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        for (voice, text) in self.entries.iter().rev() {
            if rows.len() >= height {
                break;
            }
            rows.extend(broken(*voice, text, width).into_iter().rev());
        }
        rows.truncate(height);
        rows.reverse();
        rows
    }

    fn add(&mut self, voice: Voice, text: String) {
        if self.entries.len() == Self::MOST {
            self.entries.pop_front();
        }
        self.entries.push_back((voice, text));
    }
}

/// An entry in rows: who speaks before the first, blanks before the others.
fn broken(voice: Voice, text: &str, width: usize) -> Vec<Row> {
    let start = match voice {
        Voice::You => " you  ",
        Voice::Bot | Voice::Sorry => " bot  ",
        Voice::Why => "      ↳ ",
        Voice::Note => "      · ",
    };
    let indent = start.chars().count();
    let lines = wrapped(text, width.saturating_sub(indent + 1).max(8));
    let row = |(n, line)| {
        let start = if n == 0 { start.into() } else { " ".repeat(indent) };
        Row { voice, text: format!("{start}{line}") }
    };
    let mut rows: Vec<Row> = lines.into_iter().enumerate().map(row).collect();
    if matches!(voice, Voice::You) {
        rows.insert(0, Row { voice, text: String::new() });
    }
    rows
}

/// A text in lines of at most that many characters, broken between words where there is a place.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            lines.push(String::new());
            column = 0;
        }
        for (n, letter) in word.chars().enumerate() {
            if column == width {
                lines.push(String::new());
                column = 0;
            }
            let line = lines.last_mut().expect("there is one from the start");
            if n == 0 && column > 0 {
                line.push(' ');
                column += 1;
            }
            line.push(letter);
            column += 1;
        }
    }
    lines
}

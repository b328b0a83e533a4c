//! The conversation and its layout in rows.

use std::collections::VecDeque;

use crate::assistant::AnswerPart;

/// The source of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaker {
    /// A question of the user.
    User,
    /// An answer.
    Bot,
    /// The message of the bot where there is no complete answer.
    Apology,
    /// The source of an answer and the failed attempts.
    Explanation,
    /// A note on a breaker or a command.
    Note,
}

/// The last entries of the conversation.
#[derive(Default)]
pub(crate) struct Conversation {
    entries: VecDeque<Entry>,
    /// Notes that arrived during an answer. They follow after its end.
    pending_notes: Vec<String>,
    answering: bool,
}

struct Entry {
    speaker: Speaker,
    text: String,
}

/// One row of the screen.
pub(crate) struct ScreenRow {
    pub(crate) speaker: Speaker,
    pub(crate) text: String,
}

// === impl Conversation ===

impl Conversation {
    /// The maximum number of entries.
    const MAX_ENTRIES: usize = 200;

    /// Adds a question and starts its answer.
    pub(crate) fn add_question(&mut self, question: &str) {
        self.add(Speaker::User, question.into());
        self.answering = true;
    }

    /// Adds the next part of the answer.
    pub(crate) fn add_part(&mut self, part: AnswerPart) {
        match part {
            AnswerPart::Words(words) => match self.entries.back_mut() {
                Some(Entry { speaker: Speaker::Bot, text }) => text.push_str(&words),
                _ => self.add(Speaker::Bot, words),
            },
            AnswerPart::Apology(text) => {
                if let Some(Entry { speaker: Speaker::Bot, text }) = self.entries.back_mut() {
                    text.push('…');
                }
                self.add(Speaker::Apology, text);
            }
            AnswerPart::Explanation(text) => self.add(Speaker::Explanation, text),
        }
    }

    /// Ends the answer and adds the pending notes.
    pub(crate) fn end_answer(&mut self) {
        self.answering = false;
        for note in std::mem::take(&mut self.pending_notes) {
            self.add(Speaker::Note, note);
        }
    }

    /// Adds a note. During an answer the note waits for its end.
    pub(crate) fn add_note(&mut self, text: String) {
        match self.answering {
            true => self.pending_notes.push(text),
            false => self.add(Speaker::Note, text),
        }
    }

    /// The last rows that fit into `height`.
    pub(crate) fn rows(&self, width: usize, height: usize) -> Vec<ScreenRow> {
        let mut rows: Vec<ScreenRow> = Vec::new();
        for entry in self.entries.iter().rev() {
            if rows.len() >= height {
                break;
            }
            rows.extend(entry.rows(width).into_iter().rev());
        }
        rows.truncate(height);
        rows.reverse();
        rows
    }

    fn add(&mut self, speaker: Speaker, text: String) {
        if self.entries.len() == Self::MAX_ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { speaker, text });
    }
}

// === impl Entry ===

impl Entry {
    /// The entry in rows. The first row begins with the label of the speaker, the others are indented.
    fn rows(&self, width: usize) -> Vec<ScreenRow> {
        let speaker = self.speaker;
        let label = match speaker {
            Speaker::User => " you  ",
            Speaker::Bot | Speaker::Apology => " bot  ",
            Speaker::Explanation => "      ↳ ",
            Speaker::Note => "      · ",
        };
        let indent = label.chars().count();
        let lines = wrap(&self.text, width.saturating_sub(indent + 1).max(8));
        let row = |(n, line)| {
            let start = if n == 0 { label.into() } else { " ".repeat(indent) };
            ScreenRow { speaker, text: format!("{start}{line}") }
        };
        let mut rows: Vec<ScreenRow> = lines.into_iter().enumerate().map(row).collect();
        if speaker == Speaker::User {
            rows.insert(0, ScreenRow { speaker, text: String::new() });
        }
        rows
    }
}

/// The text in lines of at most `width` characters, broken between words where possible.
fn wrap(text: &str, width: usize) -> Vec<String> {
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
            let line = lines.last_mut().expect("the list starts with one line");
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

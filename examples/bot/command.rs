//! What a person can type.

use crate::shop::Mood;

/// One line that was typed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Nothing,
    Ask(String),
    /// The how-manieth provider does so from now on.
    Turn(usize, Mood),
    Quit,
    Unknown(String),
}

pub(crate) const HELP: &str =
    "commands: /up /slow /down /silent /cut, each also with `secondary` behind it; /quit";

// === impl Command ===

impl Command {
    pub(crate) fn read(line: &str) -> Self {
        let line = line.trim();
        if !line.starts_with('/') {
            return match line {
                "" => Self::Nothing,
                question => Self::Ask(question.into()),
            };
        }
        let mut words = line.split_whitespace();
        let mood = match words.next() {
            Some("/up") => Mood::Well,
            Some("/slow") => Mood::Slow,
            Some("/down") => Mood::Down,
            Some("/silent") => Mood::Silent,
            Some("/cut") => Mood::Cut,
            Some("/quit") => return Self::Quit,
            _ => return Self::Unknown(line.into()),
        };
        match words.next() {
            None | Some("primary") => Self::Turn(0, mood),
            Some("secondary") => Self::Turn(1, mood),
            Some(_) => Self::Unknown(line.into()),
        }
    }
}

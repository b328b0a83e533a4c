//! The commands that the user can type.

use crate::providers::{ProviderMode, ProviderRole};

/// One line of input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Empty,
    Ask(String),
    /// Sets the mode of a provider.
    SetMode(ProviderRole, ProviderMode),
    Quit,
    Unknown(String),
}

pub(crate) const HELP: &str = "commands: /up /slow /down /silent /cut for the primary, or followed by `secondary` for the secondary; /quit";

// === impl Command ===

impl Command {
    pub(crate) fn read(line: &str) -> Self {
        let line = line.trim();
        if !line.starts_with('/') {
            return match line {
                "" => Self::Empty,
                question => Self::Ask(question.into()),
            };
        }
        let mut words = line.split_whitespace();
        let mode = match words.next() {
            Some("/up") => ProviderMode::Healthy,
            Some("/slow") => ProviderMode::Slow,
            Some("/down") => ProviderMode::Down,
            Some("/silent") => ProviderMode::Silent,
            Some("/cut") => ProviderMode::Truncating,
            Some("/quit") => return Self::Quit,
            _ => return Self::Unknown(line.into()),
        };
        match words.next() {
            None | Some("primary") => Self::SetMode(ProviderRole::Primary, mode),
            Some("secondary") => Self::SetMode(ProviderRole::Secondary, mode),
            Some(_) => Self::Unknown(line.into()),
        }
    }
}

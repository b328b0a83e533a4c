//! Texts with a form of their own.

use serde::{Deserialize, Deserializer, de::Error};

/// A type that is parsed from a text. The error says what the text is and what is allowed: `is blank; allowed is …`.
pub(in crate::config) trait FromText: Sized {
    fn from_text(text: &str) -> Result<Self, String>;
}

/// A text, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct Parsed<T>(pub(in crate::config) T);

// === impl Parsed ===

impl<'de, T: FromText> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        T::from_text(&text).map(Self).map_err(D::Error::custom)
    }
}

/// A text of the file for an error message. A text that may be a key is not shown.
pub(in crate::config) fn shown(text: &str) -> String {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let plain = |c: char| c.is_ascii_graphic() || c == ' ';
    let hidden =
        text.len() > 32 || digits > 4 || text.starts_with("sk-") || !text.chars().all(plain);
    if hidden {
        "a text that is not shown here, as it may be a key".to_owned()
    } else {
        format!("{text:?}")
    }
}

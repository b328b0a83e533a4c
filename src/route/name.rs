//! Names that are safe to keep and show: of bounded length, and on one line.

use std::{borrow::Cow, fmt::Write};

use crate::hash::hash;

/// The number of bytes kept of a longer name; a hash of the whole follows.
const KEPT: usize = 128;

/// The longest name that is shown: the kept bytes, `~`, and 16 hexadecimal digits.
pub(crate) const LONGEST_NAME: usize = KEPT + 17;

/// A name that is safe to keep and to print: at most [`LONGEST_NAME`] bytes, without control characters and without characters
/// that change the direction of a line. Nearly all names are unchanged. Different names stay different, and the result is not
/// changed by a second call.
pub(crate) fn shown(name: &str) -> Cow<'_, str> {
    let plain = name.is_ascii() && !name.bytes().any(|byte| byte.is_ascii_control());
    if name.len() <= LONGEST_NAME && (plain || !name.chars().any(is_odd)) {
        return name.into();
    }
    cut(name, is_odd).into()
}

/// A name with every character escaped, for one that would have a special meaning.
pub(crate) fn escaped(name: &str) -> String {
    cut(name, |_| true)
}

/// The first bytes of a name, with the characters that match `spelt` escaped, and a hash of the whole.
fn cut(name: &str, spelt: impl Fn(char) -> bool) -> String {
    let mut text = String::with_capacity(LONGEST_NAME);
    for char in name.chars() {
        let mut piece = String::new();
        match spelt(char) {
            true => piece.extend(char.escape_unicode()),
            false => piece.push(char),
        }
        if text.len() + piece.len() > KEPT {
            break;
        }
        text.push_str(&piece);
    }
    // Writing into a string cannot fail.
    let _ = write!(text, "~{:016x}", hash(name));
    text
}

/// Whether a character would change the line that it is printed in.
fn is_odd(char: char) -> bool {
    let bidirectional =
        matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let separates = matches!(char, '\u{2028}' | '\u{2029}' | '\u{feff}');
    char.is_control() || bidirectional || separates
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_usual_name_is_shown_as_it_is() {
        for name in ["", "-", "gpt-4o", "org/model:free", "modèle-é", &"m".repeat(LONGEST_NAME)] {
            assert!(matches!(shown(name), Cow::Borrowed(same) if same == name));
        }
    }

    #[test]
    fn a_line_break_and_an_escape_are_spelt_out() {
        let text = shown("x\nFAKE\u{1b}[31m\u{202e}");
        assert!(text.starts_with("x\\u{a}FAKE\\u{1b}[31m\\u{202e}~"), "{text}");
    }

    proptest! {
        #[test]
        fn law_a_shown_name_is_short_plain_its_own_and_shown_as_it_is(
            one in "(?s).{0,40}", other in "(?s).{0,40}", times in 1..2_000_usize,
        ) {
            let (one, other) = (one.repeat(times), other.repeat(times));
            let (first, second) = (shown(&one), shown(&other));
            prop_assert!(first.len() <= LONGEST_NAME && !first.chars().any(is_odd));
            prop_assert_eq!(first == second, one == other);
            let again = shown(&first);
            prop_assert_eq!(&again, &first);
        }
    }
}

//! Compares codes and hosts without the differences in spelling.

/// The last bytes of a text; empty if they start inside a character.
pub(super) fn tail(text: &str, length: usize) -> &str {
    text.get(text.len() - length..).unwrap_or_default()
}

/// Whether a code is the known one; a `*` at an end of the known one matches anything.
pub(super) fn matches(known: &str, code: &str) -> bool {
    let (before, after) = (known.starts_with('*'), known.ends_with('*'));
    if !before && !after {
        return letters(known).eq(letters(code));
    }
    let (known, code): (Vec<u8>, Vec<u8>) = (letters(known).collect(), letters(code).collect());
    match (before, after) {
        (true, true) => memchr::memmem::find(&code, &known).is_some(),
        (true, false) => code.ends_with(&known),
        _ => code.starts_with(&known),
    }
}

/// The bytes of a code, without the differences in spelling.
pub(super) fn letters(code: &str) -> impl Iterator<Item = u8> + '_ {
    code.bytes().filter(|b| !b"_-. *".contains(b)).map(|b| b.to_ascii_lowercase())
}

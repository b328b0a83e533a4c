//! The form of a body, by its first bytes.

/// The form of a body, by its first byte that is neither white space nor part of a byte order mark. It holds whatever the content
/// type says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyForm {
    /// A JSON object, or several: one per line.
    Object,
    /// A JSON array.
    Array,
    /// A page of HTML or XML, as a proxy sends it: never an answer.
    Page,
    /// Text. Server-sent events if it has their fields.
    Text,
}

// === impl BodyForm ===

impl BodyForm {
    /// The form of a body that starts with these bytes; `None` if they do not tell.
    pub fn of(start: &[u8]) -> Option<Self> {
        let is_mark = |byte: u8| matches!(byte, 0xEF | 0xBB | 0xBF);
        let first = start.iter().find(|byte| !byte.is_ascii_whitespace() && !is_mark(**byte))?;
        Some(match first {
            b'{' => Self::Object,
            b'[' => Self::Array,
            b'<' => Self::Page,
            _ => Self::Text,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_that_is_no_blank_tells_the_form() {
        for (start, form) in [
            (&b" \r\n{\"a\""[..], Some(BodyForm::Object)),
            (b"\xEF\xBB\xBF [", Some(BodyForm::Array)),
            (b"<!doctype html>", Some(BodyForm::Page)),
            (b"\xEF\xBB\xBFdata: {}", Some(BodyForm::Text)),
            (b": comment", Some(BodyForm::Text)),
            (b"", None),
            (b"\n \xEF\xBB", None),
        ] {
            assert_eq!(BodyForm::of(start), form, "{start:?}");
        }
    }
}

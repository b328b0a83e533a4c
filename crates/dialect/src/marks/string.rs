//! The escapes of a JSON string, decoded byte by byte.

/// Decodes the escapes of a JSON string that may come in pieces.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Unescape {
    #[default]
    Plain,
    /// After a backslash.
    Escape,
    /// After `\u` and `digits` of its four digits.
    Unicode { digits: u8, value: u16 },
}

/// What one byte of a string adds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece {
    /// The end of the string.
    End,
    /// Nothing yet.
    Nothing,
    Byte(u8),
    /// A character that was escaped by its number; a half of a pair is hashed as it is.
    Unit(u16),
}

// === impl Unescape ===

impl Unescape {
    pub(super) fn is_plain(self) -> bool {
        matches!(self, Self::Plain)
    }

    pub(super) fn next(&mut self, byte: u8) -> Piece {
        match *self {
            Self::Plain => match byte {
                b'"' => return Piece::End,
                b'\\' => *self = Self::Escape,
                byte => return Piece::Byte(byte),
            },
            Self::Escape => {
                *self = Self::Plain;
                match byte {
                    b'n' => return Piece::Byte(b'\n'),
                    b't' => return Piece::Byte(b'\t'),
                    b'r' => return Piece::Byte(b'\r'),
                    b'b' => return Piece::Byte(8),
                    b'f' => return Piece::Byte(12),
                    b'u' => *self = Self::Unicode { digits: 0, value: 0 },
                    byte => return Piece::Byte(byte),
                }
            }
            Self::Unicode { digits, value } => {
                let digit = (byte as char).to_digit(16).unwrap_or_default() as u16;
                let value = value << 4 | digit;
                if digits == 3 {
                    *self = Self::Plain;
                    return Piece::Unit(value);
                }
                *self = Self::Unicode { digits: digits + 1, value };
            }
        }
        Piece::Nothing
    }
}

//! Where the events of a stream end: only whole ones are handed on, so that another answer can follow them.

use memchr::{memchr, memchr2};

use crate::StreamFraming;

/// Finds the ends of events in bytes that may be split anywhere.
#[derive(Debug)]
pub(super) enum Blocks {
    /// Its first byte tells whether it is an array.
    Undecided,
    Events(Lines),
    Lines,
    Array(Array),
}

/// How far a server-sent event has come.
#[derive(Debug)]
pub(super) struct Lines {
    /// Nothing stands in the line yet.
    blank: bool,
    /// The last byte was a carriage return.
    after_cr: bool,
}

/// How far an array has come.
#[derive(Debug, Default)]
pub(super) struct Array {
    depth: u32,
    text: bool,
    escaped: bool,
}

// === impl Blocks ===

impl Blocks {
    pub(super) fn new(framing: StreamFraming) -> Self {
        match framing {
            StreamFraming::Sse => Self::events(),
            StreamFraming::SseOrArray => Self::Undecided,
            StreamFraming::JsonLines => Self::Lines,
        }
    }

    fn events() -> Self {
        Self::Events(Lines { blank: true, after_cr: false })
    }

    /// How many bytes there are to the end of the event under way, with that end; `None` if it is not in them.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Option<usize> {
        if let Self::Undecided = self {
            let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace())?;
            *self = match first {
                b'[' => Self::Array(Array::default()),
                _ => Self::events(),
            };
        }
        match self {
            Self::Undecided => None,
            Self::Events(lines) => lines.next(bytes),
            Self::Lines => memchr(b'\n', bytes).map(|at| at + 1),
            Self::Array(array) => bytes.iter().position(|byte| array.ends(*byte)).map(|at| at + 1),
        }
    }

    /// Calls `each` with the name and the data of the event in a block.
    pub(super) fn read(&self, block: &[u8], mut each: impl FnMut(&[u8], &[u8])) {
        match self {
            Self::Undecided | Self::Events(_) => {
                // A block is smaller than what a decoder takes, and whole.
                let _never = crate::decode::sse::Decoder::new()
                    .feed(block, |event| each(event.name, event.data));
            }
            Self::Lines => each(b"", block.trim_ascii()),
            Self::Array(_) => {
                let start = memchr(b'{', block).unwrap_or(block.len());
                each(b"", &block[start..]);
            }
        }
    }

    /// An event in the framing of this stream.
    pub(super) fn write(&self, name: &[u8], data: &str) -> Vec<u8> {
        match self {
            Self::Undecided | Self::Events(_) if name.is_empty() => {
                format!("data: {data}\n\n").into()
            }
            Self::Undecided | Self::Events(_) => {
                [b"event: ", name, b"\ndata: ", data.as_bytes(), b"\n\n"].concat()
            }
            Self::Lines => format!("{data}\n").into(),
            Self::Array(_) => format!(",{data}").into(),
        }
    }

    /// What ends a stream of this framing that is whole.
    pub(super) fn end(&self) -> &'static [u8] {
        if let Self::Array(_) = self { b"]" } else { b"" }
    }
}

// === impl Lines ===

impl Lines {
    fn next(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            if std::mem::take(&mut self.after_cr) && byte == b'\n' {
                at += 1;
                continue;
            }
            match memchr2(b'\n', b'\r', &bytes[at..]) {
                None => {
                    self.blank = false;
                    return None;
                }
                Some(end) => {
                    let blank = self.blank && end == 0;
                    at += end + 1;
                    self.blank = true;
                    self.after_cr = bytes[at - 1] == b'\r';
                    if blank {
                        let pair = self.after_cr && bytes.get(at) == Some(&b'\n');
                        self.after_cr &= !pair;
                        return Some(at + usize::from(pair));
                    }
                }
            }
        }
        None
    }
}

// === impl Array ===

impl Array {
    /// Whether an element ends with this byte. The elements are objects.
    fn ends(&mut self, byte: u8) -> bool {
        if self.text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.text = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.text = true,
            b'{' | b'[' => self.depth = self.depth.saturating_add(1),
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                return byte == b'}' && self.depth == 1;
            }
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The blocks of bytes that come in pieces, and what is left over.
    fn split(framing: StreamFraming, pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Vec<u8>) {
        let (mut blocks, mut whole, mut held) = (Blocks::new(framing), Vec::new(), Vec::new());
        for piece in pieces {
            let mut rest = *piece;
            while let Some(end) = blocks.next(rest) {
                held.extend_from_slice(&rest[..end]);
                whole.push(std::mem::take(&mut held));
                rest = &rest[end..];
            }
            held.extend_from_slice(rest);
        }
        (whole, held)
    }

    #[test]
    fn an_event_ends_with_its_blank_line() {
        for (text, count, left) in [
            ("data: a\n\ndata: b\n\ndata: c\n", 2, "data: c\n"),
            ("data: a\r\n\r\ndata: b\r\n\r\n", 2, ""),
            ("data: a\r\rdata: b\r\rd", 2, "d"),
            (": a comment\n\nevent: x\ndata: b\n\n", 2, ""),
        ] {
            let (blocks, held) = split(StreamFraming::Sse, &[text.as_bytes()]);
            assert_eq!((blocks.len(), &held[..]), (count, left.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn an_element_ends_with_its_bracket_whatever_stands_in_its_texts() {
        let text = br#"[{"a":"}\"{"},
            {"b":[{}]}
            ]"#;
        let (blocks, held) = split(StreamFraming::SseOrArray, &[text]);
        assert_eq!((blocks.len(), held.trim_ascii()), (2, &b"]"[..]));
        let mut array = Blocks::Array(Array::default());
        array.next(b"[");
        let mut read = Vec::new();
        blocks.iter().for_each(|block| array.read(block, |_, data| read.push(data.to_vec())));
        assert_eq!(read, [&br#"{"a":"}\"{"}"#[..], br#"{"b":[{}]}"#]);
    }

    proptest! {
        #[test]
        fn any_split_of_the_bytes_gives_the_same_blocks(
            text in "[a:\r\n{}\\[\\]\"\\\\,]{0,60}", at in 0_usize..60, framing in 0..3
        ) {
            let framing = [StreamFraming::Sse, StreamFraming::SseOrArray, StreamFraming::JsonLines][framing as usize];
            let bytes = text.as_bytes();
            let (one, two) = bytes.split_at(at.min(bytes.len()));
            let (blocks, held) = split(framing, &[one, two]);
            prop_assert_eq!([blocks.concat(), held.clone()].concat(), bytes);
            let (whole, left) = split(framing, &[bytes]);
            // A line feed alone may go with the block before it or after it, or be one.
            let lines = |blocks: &[Vec<u8>]| -> Vec<Vec<u8>> {
                let blocks = blocks.iter().map(|block| block.trim_ascii().to_vec());
                blocks.filter(|block| !block.is_empty()).collect()
            };
            prop_assert_eq!(lines(&blocks), lines(&whole));
            prop_assert_eq!(held.trim_ascii(), left.trim_ascii());
        }
    }
}

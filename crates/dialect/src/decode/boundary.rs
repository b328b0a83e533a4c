//! The end of an event, in each framing.

use memchr::memchr;

use super::{array::JsonArray, sse::SseFields, sse::SseLines};
use crate::StreamFraming;

/// Finds the ends of the events of one stream, in bytes that may be split anywhere.
///
/// A *block* is the bytes from the end of one event to the end of the next: the event with its framing. A block may have no
/// event, such as a comment.
#[derive(Debug)]
pub(crate) struct EventBoundary {
    shape: Shape,
    /// Whether a block has been read: a byte order mark may come only before the first.
    begun: bool,
    framed: bool,
}

#[derive(Debug)]
enum Shape {
    /// The first byte that is not white space decides whether the stream is an array.
    Undecided,
    Sse(SseLines),
    JsonLines,
    Array(JsonArray),
}

/// The framing of the events of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventFrame {
    Sse,
    JsonLines,
    Array,
}

// === impl EventBoundary ===

impl EventBoundary {
    pub(crate) fn new(framing: StreamFraming) -> Self {
        let shape = match framing {
            StreamFraming::Sse => Shape::Sse(SseLines::default()),
            StreamFraming::SseOrArray => Shape::Undecided,
            StreamFraming::JsonLines => Shape::JsonLines,
        };
        Self { shape, begun: false, framed: false }
    }

    /// The number of bytes to the end of the current event; `None` if its end is not in the bytes. After an end, the next call
    /// must start with the bytes after it.
    pub(crate) fn next(&mut self, bytes: &[u8]) -> Option<usize> {
        if let Shape::Undecided = self.shape {
            let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace())?;
            self.shape = match first {
                b'[' => Shape::Array(JsonArray::default()),
                _ => Shape::Sse(SseLines::default()),
            };
        }
        match &mut self.shape {
            Shape::Undecided => None,
            Shape::Sse(lines) => lines.next(bytes),
            Shape::JsonLines => memchr(b'\n', bytes).map(|at| at + 1),
            Shape::Array(array) => array.next(bytes),
        }
    }

    /// Calls `each` with the name and the data of the event in a block, if it has one. The block is the one whose end was found
    /// last, or the rest at the end of the bytes. `joined` is an empty buffer.
    pub(crate) fn read(
        &mut self,
        block: &[u8],
        joined: &mut Vec<u8>,
        each: impl FnOnce(&[u8], &[u8]),
    ) {
        let first = !std::mem::replace(&mut self.begun, true);
        match &mut self.shape {
            Shape::Undecided => {}
            Shape::Sse(lines) => {
                let marked = block.strip_prefix(b"\xEF\xBB\xBF").filter(|_| first);
                let known = lines.take_fields(block).filter(|_| marked.is_none());
                let fields =
                    known.unwrap_or_else(|| SseFields::read(marked.unwrap_or(block), joined));
                self.framed |= fields.is_framed;
                if let Some(data) = fields.data {
                    each(fields.name, data);
                }
            }
            Shape::JsonLines => match block.trim_ascii() {
                [] => {}
                line => each(b"", line),
            },
            Shape::Array(array) => each(b"", array.take_element(block)),
        }
    }

    /// Whether the next byte is the first of a block.
    pub(crate) fn is_between_events(&self) -> bool {
        matches!(&self.shape, Shape::Sse(lines) if lines.is_between())
    }

    /// Whether any of the bytes were a server-sent event, a comment or an array. Otherwise the bytes are something else.
    pub(crate) fn is_framed(&self) -> bool {
        self.framed || matches!(self.shape, Shape::Array(_))
    }

    /// Whether the framing is not yet decided.
    pub(crate) fn is_undecided(&self) -> bool {
        matches!(self.shape, Shape::Undecided)
    }

    /// Whether an array has begun and is not closed.
    pub(crate) fn is_open(&self) -> bool {
        matches!(&self.shape, Shape::Array(array) if array.is_open())
    }

    /// Whether an element of an array has ended.
    pub(crate) fn has_events(&self) -> bool {
        matches!(&self.shape, Shape::Array(array) if array.has_elements())
    }

    /// Whether the framing has ended: there are no more events.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(&self.shape, Shape::Array(array) if array.is_closed())
    }

    /// Whether the bytes since the last end can be dropped: no event has started in them.
    pub(super) fn drop_lead(&mut self) -> bool {
        match &mut self.shape {
            Shape::Array(array) if array.is_between() => {
                array.drop_lead();
                true
            }
            _ => false,
        }
    }

    /// The framing of the events; server-sent events until it is decided.
    pub(crate) fn frame(&self) -> EventFrame {
        match self.shape {
            Shape::Undecided | Shape::Sse(_) => EventFrame::Sse,
            Shape::JsonLines => EventFrame::JsonLines,
            Shape::Array(_) => EventFrame::Array,
        }
    }
}

// === impl EventFrame ===

impl EventFrame {
    /// Renders an event that follows another.
    pub(crate) fn write(self, name: &[u8], data: &str) -> Vec<u8> {
        match self {
            Self::Sse if name.is_empty() => format!("data: {data}\n\n").into(),
            Self::Sse => [b"event: ", name, b"\ndata: ", data.as_bytes(), b"\n\n"].concat(),
            Self::JsonLines => format!("{data}\n").into(),
            Self::Array => format!(",{data}").into(),
        }
    }

    /// The end of a whole stream.
    pub(crate) fn end(self) -> &'static [u8] {
        if self == Self::Array { b"]" } else { b"" }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The blocks of bytes that arrive in pieces, and the rest.
    fn split(framing: StreamFraming, pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Vec<u8>) {
        let (mut blocks, mut whole, mut held) =
            (EventBoundary::new(framing), Vec::new(), Vec::new());
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
    fn an_event_ends_with_its_blank_line_and_a_comment_with_its_own() {
        for (text, count, left) in [
            ("data: a\n\ndata: b\n\ndata: c\n", 2, "data: c\n"),
            ("data: a\r\n\r\ndata: b\r\n\r\n", 2, ""),
            ("data: a\r\rdata: b\r\rd", 2, "d"),
            (": a comment\n: another\ndata: a\n: within\n\n", 3, ""),
            (": a comment\n\nevent: x\ndata: b\n\n", 3, ""),
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
        let (mut array, mut read) = (EventBoundary::new(StreamFraming::SseOrArray), Vec::new());
        for block in &blocks {
            assert_eq!(array.next(block), Some(block.len()));
            array.read(block, &mut Vec::new(), |_, data| read.push(data.to_vec()));
        }
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
            // A single line feed may belong to the block before it or after it, or be a block.
            let lines = |blocks: &[Vec<u8>]| -> Vec<Vec<u8>> {
                let blocks = blocks.iter().map(|block| block.trim_ascii().to_vec());
                blocks.filter(|block| !block.is_empty()).collect()
            };
            prop_assert_eq!(lines(&blocks), lines(&whole));
            prop_assert_eq!(held.trim_ascii(), left.trim_ascii());
        }
    }
}

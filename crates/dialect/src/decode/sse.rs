//! Server-sent events: the end of an event, and its fields.

use std::ops::Range;

use memchr::{memchr, memchr2};

/// The position in a server-sent event. The event ends with a blank line; a comment on its own ends with its line.
#[derive(Debug, Default)]
pub(super) struct SseLines {
    line: Line,
    /// The start of the current line in the block of the event.
    start: usize,
    /// The number of bytes of the block in earlier pieces.
    before: usize,
    /// Whether the last byte was a carriage return: a line feed right after it belongs to it.
    after_cr: bool,
    /// The lines of the current event.
    lines: FirstLines,
    /// The lines of the event that has ended.
    ended: FirstLines,
}

/// The first lines of an event, by their positions in its block. Most events have no more.
#[derive(Clone, Debug, Default)]
struct FirstLines {
    places: [Range<usize>; 2],
    count: usize,
}

/// The bytes of the current line so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Line {
    #[default]
    Empty,
    Comment,
    Field,
}

/// The fields of one event.
#[derive(Debug, Default)]
pub(super) struct SseFields<'a> {
    pub(super) name: &'a [u8],
    /// The data, if there is any: borrowed if it is one line.
    pub(super) data: Option<&'a [u8]>,
    /// Whether any line is a field of a server-sent event, or a comment.
    pub(super) is_framed: bool,
}

// === impl SseLines ===

impl SseLines {
    /// Whether the next byte is the first of an event.
    pub(super) fn is_between(&self) -> bool {
        self.line == Line::Empty && self.lines.count == 0 && !self.after_cr
    }

    /// The end of the current event, if it is in the bytes.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if std::mem::take(&mut self.after_cr) && *byte == b'\n' {
                at += 1;
                self.start += 1;
                continue;
            }
            let Some(length) = memchr2(b'\n', b'\r', &bytes[at..]) else { break };
            if self.line == Line::Empty && length > 0 {
                self.line = Line::of(*byte);
            }
            let end = self.before + at + length;
            at += length + 1;
            self.after_cr = bytes[at - 1] == b'\r';
            if self.end_line(end) {
                let pair = self.after_cr && bytes.get(at) == Some(&b'\n');
                self.after_cr &= !pair;
                (self.start, self.before) = (0, 0);
                return Some(at + usize::from(pair));
            }
            self.start = end + 1;
        }
        if let (Line::Empty, Some(first)) = (self.line, bytes.get(at)) {
            self.line = Line::of(*first);
        }
        self.before += bytes.len();
        None
    }

    /// The fields of the event whose end was found last, in its block; `None` if its lines have to be searched again.
    pub(super) fn take_fields<'a>(&mut self, block: &'a [u8]) -> Option<SseFields<'a>> {
        let FirstLines { places, count } = std::mem::take(&mut self.ended);
        let mut fields = SseFields::default();
        for place in places.get(..count)? {
            let data = fields.line(&block[place.clone()]);
            if data.is_some() && fields.data.is_some() {
                return None;
            }
            fields.data = fields.data.or(data);
        }
        (count > 0).then_some(fields)
    }

    /// Ends a line at a position in the block. Returns whether the event ends with it.
    fn end_line(&mut self, end: usize) -> bool {
        let line = std::mem::take(&mut self.line);
        if line != Line::Empty {
            if let Some(place) = self.lines.places.get_mut(self.lines.count) {
                *place = self.start..end;
            }
            self.lines.count += 1;
        }
        let ends = match line {
            Line::Empty => true,
            Line::Comment => self.lines.count == 1,
            Line::Field => false,
        };
        if ends {
            self.ended = std::mem::take(&mut self.lines);
        }
        ends
    }
}

// === impl Line ===

impl Line {
    /// A line that begins with that byte.
    fn of(first: u8) -> Self {
        if first == b':' { Self::Comment } else { Self::Field }
    }
}

// === impl SseFields ===

impl<'a> SseFields<'a> {
    /// Parses the lines of one event. Data of several lines is joined in `joined`.
    pub(super) fn read(block: &'a [u8], joined: &'a mut Vec<u8>) -> Self {
        let mut fields = Self::default();
        let (mut rest, mut lines) = (block, 0_u32);
        while !rest.is_empty() {
            let end = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
            let (line, after) = rest.split_at(end);
            // The line feed of a CRLF is one more blank line, without effect.
            rest = after.get(1..).unwrap_or_default();
            let Some(data) = fields.line(line) else { continue };
            lines += 1;
            match (lines, fields.data) {
                (1, _) => fields.data = Some(data),
                (_, first) => {
                    if lines == 2 {
                        joined.extend_from_slice(first.unwrap_or_default());
                    }
                    joined.push(b'\n');
                    joined.extend_from_slice(data);
                }
            }
        }
        if lines > 1 {
            fields.data = Some(joined);
        }
        fields
    }

    /// Parses one line. Returns what it adds to the data.
    fn line(&mut self, line: &'a [u8]) -> Option<&'a [u8]> {
        if line.is_empty() {
            return None;
        }
        if let Some(data) = line.strip_prefix(b"data:") {
            self.is_framed = true;
            return Some(data.strip_prefix(b" ").unwrap_or(data));
        }
        let (field, value) = match memchr(b':', line) {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &line[..0]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        // A comment has an empty name. Other fields are skipped.
        self.is_framed |= matches!(field, b"" | b"data" | b"event" | b"id" | b"retry");
        match field {
            b"data" => return Some(value),
            b"event" => self.name = value,
            _ => {}
        }
        None
    }
}

//! Where an event of a stream ends: an error event must not follow half of another, or clients would drop it.

use evenkeel::dialect::Dialect;

/// Finds the end of the last complete event.
#[derive(Debug)]
pub(crate) enum EventBoundary {
    /// Server-sent events: a blank line.
    ServerSentEvents,
    /// One JSON value a line.
    Lines,
    /// The elements of one JSON array.
    JsonArray(ArrayScanner),
}

/// How far an array has been read.
#[derive(Debug, Default)]
pub(crate) struct ArrayScanner {
    depth: u32,
    text: bool,
    escaped: bool,
    elements: bool,
}

// === impl EventBoundary ===

impl EventBoundary {
    /// The boundary of the streams of a dialect. Gemini sends an array unless the query asks for events.
    pub(crate) fn of(dialect: Dialect, query: &str) -> Self {
        match dialect {
            Dialect::Ollama => Self::Lines,
            Dialect::Gemini if !query.split('&').any(|pair| pair == "alt=sse") => {
                Self::JsonArray(ArrayScanner::default())
            }
            _ => Self::ServerSentEvents,
        }
    }

    /// How many of the bytes are complete events. All but the last `new` bytes were searched before, without a boundary.
    pub(crate) fn last_end(&mut self, bytes: &[u8], new: usize) -> usize {
        let old = bytes.len() - new;
        match self {
            Self::ServerSentEvents => {
                let ends = (old.saturating_sub(1)..=bytes.len()).rev();
                ends.into_iter().find(|end| ends_with_blank_line(&bytes[..*end])).unwrap_or(0)
            }
            Self::Lines => bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1),
            Self::JsonArray(array) => {
                let mut last = 0;
                for (at, byte) in bytes.iter().enumerate().skip(old) {
                    if array.step(*byte) {
                        last = at + 1;
                    }
                }
                last
            }
        }
    }
}

/// Whether the bytes end with a blank line; lines end with CR, LF or both.
fn ends_with_blank_line(bytes: &[u8]) -> bool {
    let line = |bytes: &[u8]| match bytes {
        [.., b'\r', b'\n'] => 2,
        [.., b'\r' | b'\n'] => 1,
        _ => 0,
    };
    let first = line(bytes);
    first > 0 && line(&bytes[..bytes.len() - first]) > 0
}

// === impl ArrayScanner ===

impl ArrayScanner {
    /// Whether an element is complete.
    pub(crate) fn has_elements(&self) -> bool {
        self.elements
    }

    /// Whether the array has begun and not ended, so that an element can follow.
    pub(crate) fn is_open(&self) -> bool {
        self.depth > 0
    }

    /// Reads a byte. Whether the array up to it is valid once `]` is added.
    fn step(&mut self, byte: u8) -> bool {
        if self.text {
            match (self.escaped, byte) {
                (true, _) => self.escaped = false,
                (false, b'\\') => self.escaped = true,
                (false, b'"') => self.text = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.text = true,
            b'[' | b'{' => {
                self.depth = self.depth.saturating_add(1);
                return self.depth == 1;
            }
            b']' | b'}' => {
                self.depth = self.depth.saturating_sub(1);
                self.elements |= self.depth == 1;
                return self.depth <= 1;
            }
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds the bytes in pieces of that size; what was handed on, and what is held.
    fn fed(mut boundary: EventBoundary, bytes: &str, size: usize) -> (String, String) {
        let (mut out, mut held) = (Vec::new(), Vec::new());
        for piece in bytes.as_bytes().chunks(size) {
            held.extend_from_slice(piece);
            let whole = boundary.last_end(&held, piece.len());
            out.extend(held.drain(..whole));
        }
        (String::from_utf8(out).unwrap(), String::from_utf8(held).unwrap())
    }

    #[test]
    fn the_last_whole_event_is_found_whatever_the_pieces() {
        let array = || EventBoundary::JsonArray(ArrayScanner::default());
        for size in 1..20 {
            for end in ["\n\n", "\r\n\r\n", "\r\r"] {
                let whole = format!("data: a{end}event: b\ndata: c{end}");
                let (out, held) =
                    fed(EventBoundary::ServerSentEvents, &format!("{whole}data: {{\"d"), size);
                assert_eq!(out.trim_end(), whole.trim_end(), "{size} {end:?}");
                assert!(held.trim_start().starts_with("data: {"), "{held:?}");
            }
            let (out, held) = fed(EventBoundary::Lines, "{\"a\":1}\n{\"b\":2}\n{\"c", size);
            assert_eq!((out.as_str(), held.as_str()), ("{\"a\":1}\n{\"b\":2}\n", "{\"c"));
            let whole = r#"[{"a":"}],\"["},
{"b":[{}]}"#;
            let (out, held) = fed(array(), &format!("{whole},\n{{\"c"), size);
            assert_eq!((out.as_str(), held.as_str()), (whole, ",\n{\"c"));
            let (out, held) = fed(array(), "[{}]\n", size);
            assert_eq!((out.as_str(), held.as_str()), ("[{}]", "\n"));
        }
    }

    #[test]
    fn nothing_is_whole_without_an_end() {
        assert_eq!(fed(EventBoundary::ServerSentEvents, "data: a\n", 3).0, "");
        assert_eq!(fed(EventBoundary::ServerSentEvents, "\n", 1).0, "");
        assert_eq!(fed(EventBoundary::Lines, "{}", 1).0, "");
        assert_eq!(fed(EventBoundary::JsonArray(ArrayScanner::default()), "[{\"a\":1", 1).0, "[");
    }
}

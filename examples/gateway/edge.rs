//! Where one event of a stream ends: an error that follows it must not be swallowed by half of another.

use evenkeel::dialect::Dialect;

/// Finds the last end of an event.
#[derive(Debug)]
pub(crate) enum Edge {
    /// Server-sent events: a blank line.
    Events,
    /// JSON by the line.
    Lines,
    /// One JSON array.
    Array(Array),
}

/// How far an array was read.
#[derive(Debug, Default)]
pub(crate) struct Array {
    depth: u32,
    text: bool,
    escaped: bool,
    elements: bool,
}

// === impl Edge ===

impl Edge {
    /// That of a stream of a dialect; one of Gemini's comes as an array unless the query asks for events.
    pub(crate) fn of(dialect: Dialect, query: &str) -> Self {
        match dialect {
            Dialect::Ollama => Self::Lines,
            Dialect::Gemini if !query.split('&').any(|pair| pair == "alt=sse") => {
                Self::Array(Array::default())
            }
            _ => Self::Events,
        }
    }

    /// How many of the bytes are whole events. All but the last `new` were looked at before, and are none.
    pub(crate) fn last(&mut self, bytes: &[u8], new: usize) -> usize {
        let old = bytes.len() - new;
        match self {
            Self::Events => {
                let ends = (old.saturating_sub(1)..=bytes.len()).rev();
                ends.into_iter().find(|end| is_blank(&bytes[..*end])).unwrap_or(0)
            }
            Self::Lines => bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1),
            Self::Array(array) => {
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

/// Whether they end with a blank line, in any of the ways to end a line.
fn is_blank(bytes: &[u8]) -> bool {
    let line = |bytes: &[u8]| match bytes {
        [.., b'\r', b'\n'] => 2,
        [.., b'\r' | b'\n'] => 1,
        _ => 0,
    };
    let first = line(bytes);
    first > 0 && line(&bytes[..bytes.len() - first]) > 0
}

// === impl Array ===

impl Array {
    /// Whether an element has come before.
    pub(crate) fn has_elements(&self) -> bool {
        self.elements
    }

    /// Whether the array is open, so that an element can follow.
    pub(crate) fn is_open(&self) -> bool {
        self.depth > 0
    }

    /// Reads a byte; whether the array is whole up to it, but for its end.
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
    fn fed(mut edge: Edge, bytes: &str, size: usize) -> (String, String) {
        let (mut out, mut held) = (Vec::new(), Vec::new());
        for piece in bytes.as_bytes().chunks(size) {
            held.extend_from_slice(piece);
            let whole = edge.last(&held, piece.len());
            out.extend(held.drain(..whole));
        }
        (String::from_utf8(out).unwrap(), String::from_utf8(held).unwrap())
    }

    #[test]
    fn the_last_whole_event_is_found_whatever_the_pieces() {
        let array = || Edge::Array(Array::default());
        for size in 1..20 {
            for end in ["\n\n", "\r\n\r\n", "\r\r"] {
                let whole = format!("data: a{end}event: b\ndata: c{end}");
                let (out, held) = fed(Edge::Events, &format!("{whole}data: {{\"d"), size);
                assert_eq!(out.trim_end(), whole.trim_end(), "{size} {end:?}");
                assert!(held.trim_start().starts_with("data: {"), "{held:?}");
            }
            let (out, held) = fed(Edge::Lines, "{\"a\":1}\n{\"b\":2}\n{\"c", size);
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
        assert_eq!(fed(Edge::Events, "data: a\n", 3).0, "");
        assert_eq!(fed(Edge::Events, "\n", 1).0, "");
        assert_eq!(fed(Edge::Lines, "{}", 1).0, "");
        assert_eq!(fed(Edge::Array(Array::default()), "[{\"a\":1", 1).0, "[");
    }
}

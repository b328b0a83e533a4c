//! The end of an element in one JSON array.

use memchr::memchr2;

/// The position in one JSON array. It distinguishes brackets and strings only; the JSON of an element is parsed elsewhere.
#[derive(Debug, Default)]
pub(super) struct JsonArray {
    state: State,
    /// The number of open brackets within the element.
    depth: u32,
    /// The number of bytes before the element, since the end of the last one.
    lead: usize,
    has_elements: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Before the array.
    #[default]
    Before,
    /// Between two elements.
    Between,
    Within,
    /// In a string within an element.
    Text,
    /// After a backslash in a string.
    Escape,
    /// After the array: the bytes are ignored.
    Closed,
}

/// The position of a byte relative to the element.
enum Step {
    /// Before an element.
    Leads,
    Goes,
    /// The last byte of the element.
    Ends,
    /// The first byte after the element.
    Ended,
}

// === impl JsonArray ===

impl JsonArray {
    pub(super) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Whether the array has begun and is not closed.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.state, State::Before | State::Closed)
    }

    /// Whether an element has ended.
    pub(super) fn has_elements(&self) -> bool {
        self.has_elements
    }

    /// Whether no element has begun since the end of the last one.
    pub(super) fn is_between(&self) -> bool {
        matches!(self.state, State::Before | State::Between | State::Closed)
    }

    /// Drops the bytes since the end of the last element: they contain no element.
    pub(super) fn drop_lead(&mut self) {
        self.lead = 0;
    }

    /// The element in a block, which is the bytes from the end of one element to the end of the next.
    pub(super) fn take_element<'a>(&mut self, block: &'a [u8]) -> &'a [u8] {
        &block[std::mem::take(&mut self.lead).min(block.len())..]
    }

    /// The end of the current element, if it is in the bytes.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() && self.state != State::Closed {
            if self.state == State::Text {
                // Most of the bytes are string content.
                at += memchr2(b'"', b'\\', &bytes[at..])?;
            }
            let end = match self.step(bytes[at]) {
                Step::Leads => {
                    self.lead += 1;
                    None
                }
                Step::Goes => None,
                Step::Ends => Some(at + 1),
                Step::Ended => Some(at),
            };
            if end.is_some() {
                self.has_elements = true;
                return end;
            }
            at += 1;
        }
        None
    }

    fn step(&mut self, byte: u8) -> Step {
        let (state, step) = match (self.state, byte) {
            (State::Before, b'[') => (State::Between, Step::Leads),
            (State::Before, _) => (State::Before, Step::Leads),
            (State::Between, b']') => (State::Closed, Step::Leads),
            (State::Between, b',') => (State::Between, Step::Leads),
            (State::Between, byte) if byte.is_ascii_whitespace() => (State::Between, Step::Leads),
            (State::Between, byte) => {
                self.depth = u32::from(matches!(byte, b'{' | b'['));
                (if byte == b'"' { State::Text } else { State::Within }, Step::Goes)
            }
            (State::Within, b'"') => (State::Text, Step::Goes),
            (State::Within, b',') if self.depth == 0 => (State::Between, Step::Ended),
            (State::Within, b']') if self.depth == 0 => (State::Closed, Step::Ended),
            (State::Within, b'{' | b'[') => {
                self.depth = self.depth.saturating_add(1);
                (State::Within, Step::Goes)
            }
            (State::Within, b'}' | b']') if self.depth == 1 => (State::Between, Step::Ends),
            (State::Within, b'}' | b']') => {
                self.depth = self.depth.saturating_sub(1);
                (State::Within, Step::Goes)
            }
            (State::Text, b'"') => (State::Within, Step::Goes),
            (State::Text, b'\\') => (State::Escape, Step::Goes),
            (State::Escape, _) => (State::Text, Step::Goes),
            (state, _) => (state, Step::Goes),
        };
        self.state = state;
        step
    }
}

//! The elements of a JSON array, decoded as they come from bytes that may be split anywhere.

#[cfg(test)]
mod tests;

use memchr::memchr2;

use super::sse::{Event, TooLarge};

/// Reads the elements of one array; each is an event, as soon as its last byte is there.
///
/// An element that lies in one piece of bytes is lent as it is; only what is split over pieces is copied. What stands in
/// an element is for the reader of its JSON to judge: only brackets and texts are told apart here.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// An element whose end has not come.
    element: Vec<u8>,
    state: State,
    /// How many brackets are open within the element.
    depth: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// The array has not begun.
    #[default]
    Before,
    /// Between two elements.
    Between,
    Within,
    /// In a text within an element.
    Text,
    /// After a backslash in a text.
    Escape,
    /// The array is closed: what comes after it means nothing.
    Closed,
    /// An element was too large: nothing is read any more.
    Dead,
}

/// What a byte does to the element.
enum Step {
    Begins,
    Goes,
    /// It is the last of the element.
    Ends,
    /// It comes right after the element.
    Ended,
    Nothing,
}

// === impl Decoder ===

impl Decoder {
    /// The largest element, in bytes: far above any text, as a picture in base64 is one element.
    pub(crate) const MOST: usize = 16 * 1024 * 1024;
    /// A buffer that has grown past this is given back once the element is read.
    const KEEP: usize = 64 * 1024;

    /// Whether the array has been closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Reads the next bytes and calls `each` with every element that ends in them.
    pub(crate) fn feed(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(Event<'_>),
    ) -> Result<(), TooLarge> {
        let (mut from, mut at) = (0, 0);
        while at < bytes.len() && !matches!(self.state, State::Closed | State::Dead) {
            if self.state == State::Text {
                // Most of the bytes are text.
                at += memchr2(b'"', b'\\', &bytes[at..]).unwrap_or(bytes.len() - at);
                if at == bytes.len() {
                    break;
                }
            }
            match self.step(bytes[at]) {
                Step::Begins => from = at,
                Step::Ends => self.end(&bytes[from..=at], &mut each)?,
                Step::Ended => self.end(&bytes[from..at], &mut each)?,
                Step::Goes | Step::Nothing => {}
            }
            at += 1;
        }
        match self.state {
            State::Within | State::Text | State::Escape => self.keep(&bytes[from..]),
            State::Dead => Err(TooLarge),
            _ => Ok(()),
        }
    }

    fn step(&mut self, byte: u8) -> Step {
        let (state, step) = match (self.state, byte) {
            (State::Before, b'[') => (State::Between, Step::Nothing),
            (State::Before, _) => (State::Before, Step::Nothing),
            (State::Between, b']') => (State::Closed, Step::Nothing),
            (State::Between, b',') => (State::Between, Step::Nothing),
            (State::Between, byte) if byte.is_ascii_whitespace() => (State::Between, Step::Nothing),
            (State::Between, byte) => {
                self.depth = u32::from(matches!(byte, b'{' | b'['));
                (if byte == b'"' { State::Text } else { State::Within }, Step::Begins)
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

    /// The element is whole: what was kept of it, and its end.
    fn end(&mut self, end: &[u8], each: &mut impl FnMut(Event<'_>)) -> Result<(), TooLarge> {
        if self.element.is_empty() && end.len() <= Self::MOST {
            each(Event { name: b"", data: end });
            return Ok(());
        }
        self.keep(end)?;
        each(Event { name: b"", data: &self.element });
        self.element.clear();
        self.element.shrink_to(Self::KEEP);
        Ok(())
    }

    fn keep(&mut self, part: &[u8]) -> Result<(), TooLarge> {
        if self.element.len() + part.len() > Self::MOST {
            *self = Self { state: State::Dead, ..Self::default() };
            return Err(TooLarge);
        }
        self.element.extend_from_slice(part);
        Ok(())
    }
}

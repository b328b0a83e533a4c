//! The short way for the chunks of which a stream is made: the same bytes each time but for the words.

use std::ops::Range;

use super::chunk::Chunk;
use crate::dialect::json::place;

/// The last chunk that was plain content, with the places where the next may differ: its text, and padding after it.
///
/// A chunk that is like it byte for byte, but for valid JSON text in those places, means the same: it carries content, no
/// error, no finish reason. So it need not be parsed, and nothing can be missed.
#[derive(Debug, Default)]
pub(super) struct Plain {
    bytes: Vec<u8>,
    /// The places, inside the quotes.
    text: Range<usize>,
    padding: Option<Range<usize>>,
}

// === impl Plain ===

impl Plain {
    /// A larger chunk is not learnt: its like is rare.
    const MOST: usize = 4096;

    /// Takes a chunk for the pattern of the next, if it is one choice with text and nothing to take note of.
    pub(super) fn learn(&mut self, chunk: &Chunk<'_>, data: &[u8]) {
        self.bytes.clear();
        let Some([choice]) = chunk.choices.as_deref() else { return };
        let noted = choice.finish().is_some() || chunk.usage.is_some();
        let text = choice.piece().and_then(|piece| piece.plain_text());
        let (Some(text), false, true) = (text, noted, data.len() <= Self::MOST) else { return };
        self.text = inside(text, data);
        let padding = chunk.obfuscation.map(|raw| raw.get()).filter(|raw| raw.starts_with('"'));
        self.padding = padding.map(|padding| inside(padding, data));
        if self.padding.as_ref().is_none_or(|padding| padding.start > self.text.end) {
            self.bytes.extend_from_slice(data);
        }
    }

    /// Whether a chunk is like the last one, with other text.
    pub(super) fn is_like(&self, data: &[u8]) -> bool {
        !self.bytes.is_empty() && self.compare(data).is_some()
    }

    fn compare(&self, data: &[u8]) -> Option<()> {
        let rest = data.strip_prefix(&self.bytes[..self.text.start])?;
        let mut rest = &rest[text_end(rest).filter(|end| *end > 0)?..];
        let mut at = self.text.end;
        if let Some(padding) = &self.padding {
            rest = rest.strip_prefix(&self.bytes[at..padding.start])?;
            rest = &rest[text_end(rest)?..];
            at = padding.end;
        }
        (rest == &self.bytes[at..]).then_some(())
    }
}

/// Where a text stands in a chunk, without its quotes.
fn inside(text: &str, data: &[u8]) -> Range<usize> {
    let place = place(text, data);
    place.start + 1..place.end - 1
}

/// Where the text ends that begins here, if it is valid JSON text: the place of its closing quote.
fn text_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match *bytes.get(at)? {
            b'"' => break,
            b'\\' => match *bytes.get(at + 1)? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                b'u' if bytes.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit) => at += 6,
                _ => return None,
            },
            0..0x20 => return None,
            _ => at += 1,
        }
    }
    std::str::from_utf8(&bytes[..at]).ok().map(|_| at)
}

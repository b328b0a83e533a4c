//! The short way for the chunks of which a stream is made: the same bytes each time but for the words.

use std::ops::Range;

use super::chunk::Chunk;
use crate::json::place;

/// The last chunk that was plain content, with the places where the next may differ: its text, its time, its padding.
///
/// A chunk that is like it byte for byte, but for valid JSON of the same kind in those places, says the same: content, and
/// nothing that was not noted already. So it need not be parsed, and nothing can be missed.
#[derive(Debug, Default)]
pub(super) struct Plain {
    bytes: Vec<u8>,
    holes: Vec<Hole>,
}

/// A place where the next chunk may differ.
#[derive(Debug)]
struct Hole {
    place: Range<usize>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Inside the quotes of the text: never empty.
    Text,
    /// Inside the quotes of anything.
    Padding,
    /// A whole number.
    Number,
}

// === impl Plain ===

impl Plain {
    /// A larger chunk is not learnt: its like is rare.
    const MOST: usize = 4096;

    /// Takes a chunk for the pattern of the next, if it is one choice with text, and no usage, which goes on.
    pub(super) fn learn(&mut self, chunk: &Chunk<'_>, data: &[u8]) {
        self.bytes.clear();
        self.holes.clear();
        let Some([choice]) = chunk.choices.as_deref() else { return };
        let text = choice.piece().and_then(|piece| piece.plain_text());
        let fits = chunk.usage.is_none() && data.len() <= Self::MOST && !data.contains(&b'\n');
        let (Some(text), true) = (text, fits) else { return };
        self.bytes.extend_from_slice(data);
        let mut hole = |raw: &str, kind| {
            let Range { start, end } = place(raw, data);
            let quote = usize::from(!matches!(kind, Kind::Number));
            self.holes.push(Hole { place: start + quote..end - quote, kind });
        };
        hole(text, Kind::Text);
        if let Some(padding) = chunk.obfuscation.filter(|raw| raw.get().starts_with('"')) {
            hole(padding.get(), Kind::Padding);
        }
        if let Some(time) =
            chunk.created.filter(|raw| raw.get().bytes().all(|b| b.is_ascii_digit()))
        {
            hole(time.get(), Kind::Number);
        }
        self.holes.sort_unstable_by_key(|hole| hole.place.start);
    }

    /// Whether a chunk is like the last one but for those places.
    pub(super) fn is_like(&self, data: &[u8]) -> bool {
        self.after(data).is_some_and(<[u8]>::is_empty)
    }

    /// What comes after such a chunk, where there is one at the beginning. It has no line break in it.
    pub(super) fn after<'a>(&self, data: &'a [u8]) -> Option<&'a [u8]> {
        if self.bytes.is_empty() {
            return None;
        }
        let (mut rest, mut at) = (data, 0);
        for Hole { place, kind } in &self.holes {
            rest = rest.strip_prefix(&self.bytes[at..place.start])?;
            let end = match kind {
                Kind::Text => text_end(rest).filter(|end| *end > 0),
                Kind::Padding => text_end(rest),
                Kind::Number => number_end(rest),
            };
            rest = &rest[end?..];
            at = place.end;
        }
        rest.strip_prefix(&self.bytes[at..])
    }
}

/// Where the number ends that begins here, if it is a whole one.
fn number_end(bytes: &[u8]) -> Option<usize> {
    let end = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (end == 1 || (end > 1 && bytes[0] != b'0')).then_some(end)
}

/// Where the text ends that begins here, if it is valid JSON text: the place of its closing quote.
fn text_end(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut all) = (0, 0_u8);
    loop {
        // Most of the bytes are words.
        at += bytes[at..].iter().position(|byte| {
            all |= byte;
            matches!(byte, b'"' | b'\\' | 0..0x20)
        })?;
        match bytes[at] {
            b'"' => break,
            b'\\' => match *bytes.get(at + 1)? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                b'u' if bytes.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit) => at += 6,
                _ => return None,
            },
            _ => return None,
        }
    }
    (all.is_ascii() || std::str::from_utf8(&bytes[..at]).is_ok()).then_some(at)
}

//! The short way for the chunks of which a stream is made: the same bytes each time but for the words.

use std::ops::Range;

use super::chunk::Chunk;
use crate::json::span_in;

/// The last chunk that was plain content, with the places where the next may differ: its text, its time, its padding.
///
/// A chunk that is like it byte for byte, but for valid JSON of the same kind in those places, holds the same: content, and
/// nothing that was not noted already. So it need not be parsed, and nothing can be missed.
#[derive(Debug, Default)]
pub(crate) struct ChunkTemplate {
    bytes: Vec<u8>,
    slots: Vec<Slot>,
    /// The length of what does not differ: no chunk that is alike is shorter.
    fixed: usize,
}

/// A place where the next chunk may differ.
#[derive(Debug)]
struct Slot {
    place: Range<usize>,
    kind: SlotKind,
}

#[derive(Clone, Copy, Debug)]
enum SlotKind {
    /// Inside the quotes of the text: never empty.
    Text,
    /// Inside the quotes of anything.
    Padding,
    /// A whole number.
    Number,
}

// === impl ChunkTemplate ===

impl ChunkTemplate {
    /// The largest chunk that is learnt, in bytes: the like of a larger one is rare.
    const MAX_CHUNK: usize = 4096;

    /// Takes a chunk for the pattern of the next, if it is one choice with text, and no usage, which goes on.
    pub(super) fn learn(&mut self, chunk: &Chunk<'_>, data: &[u8]) {
        self.bytes.clear();
        self.slots.clear();
        let Some([choice]) = chunk.choices.as_deref() else { return };
        let text = choice.plain_text();
        let fits = chunk.usage.is_none() && data.len() <= Self::MAX_CHUNK && !data.contains(&b'\n');
        let (Some(text), true) = (text, fits) else { return };
        self.bytes.extend_from_slice(data);
        let mut slot = |raw: &str, kind| {
            let Range { start, end } = span_in(raw, data);
            let quote = usize::from(!matches!(kind, SlotKind::Number));
            self.slots.push(Slot { place: start + quote..end - quote, kind });
        };
        slot(text, SlotKind::Text);
        if let Some(padding) = chunk.obfuscation.filter(|raw| raw.get().starts_with('"')) {
            slot(padding.get(), SlotKind::Padding);
        }
        if let Some(time) =
            chunk.created.filter(|raw| raw.get().bytes().all(|b| b.is_ascii_digit()))
        {
            slot(time.get(), SlotKind::Number);
        }
        self.slots.sort_unstable_by_key(|slot| slot.place.start);
        let differing: usize = self.slots.iter().map(|slot| slot.place.len()).sum();
        self.fixed = self.bytes.len() - differing;
    }

    /// Whether a chunk is like the last one but for those places.
    pub(crate) fn is_like(&self, data: &[u8]) -> bool {
        self.after(data).is_some_and(<[u8]>::is_empty)
    }

    /// What comes after such a chunk, where there is one at the beginning. It has no line break in it.
    pub(crate) fn after<'a>(&self, data: &'a [u8]) -> Option<&'a [u8]> {
        if self.bytes.is_empty() || data.len() < self.fixed {
            return None;
        }
        let (mut rest, mut at) = (data, 0);
        for Slot { place, kind } in &self.slots {
            rest = rest.strip_prefix(&self.bytes[at..place.start])?;
            let end = match kind {
                SlotKind::Text => text_end(rest).filter(|end| *end > 0),
                SlotKind::Padding => text_end(rest),
                SlotKind::Number => number_end(rest),
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

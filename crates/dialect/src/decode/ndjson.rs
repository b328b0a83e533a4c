//! JSON by the line, decoded from bytes that may be split anywhere.

#[cfg(test)]
mod tests;

use memchr::memchr;

use super::sse::{Event, TooLarge};

/// Reads lines; one that is not blank is an event.
///
/// A line that lies in one piece of bytes is lent as it is; only what is split over pieces is copied.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// A line whose end has not come.
    line: Vec<u8>,
    /// A line was too large, or the bytes are over: nothing is read any more.
    dead: bool,
}

// === impl Decoder ===

impl Decoder {
    /// The largest line, in bytes: far above any text, as a picture in base64 is one line.
    pub(crate) const MOST: usize = 16 * 1024 * 1024;
    /// A buffer that has grown past this is given back once the line is read.
    const KEEP: usize = 64 * 1024;

    /// Reads the next bytes and calls `each` with every line that ends in them.
    pub(crate) fn feed(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(Event<'_>),
    ) -> Result<(), TooLarge> {
        let mut rest = bytes;
        while let (Some(end), false) = (memchr(b'\n', rest), self.dead) {
            let line = &rest[..end];
            rest = &rest[end + 1..];
            if self.line.is_empty() && line.len() <= Self::MOST {
                read(line, &mut each);
            } else {
                self.keep(line)?;
                read(&self.line, &mut each);
                self.line.clear();
                self.line.shrink_to(Self::KEEP);
            }
        }
        self.keep(rest)
    }

    /// The bytes are over: a line without an end is read all the same.
    pub(crate) fn finish(&mut self, mut each: impl FnMut(Event<'_>)) {
        read(&std::mem::take(&mut self.line), &mut each);
        self.dead = true;
    }

    fn keep(&mut self, part: &[u8]) -> Result<(), TooLarge> {
        if self.dead || self.line.len() + part.len() > Self::MOST {
            *self = Self { dead: true, ..Self::default() };
            return Err(TooLarge);
        }
        self.line.extend_from_slice(part);
        Ok(())
    }
}

fn read(line: &[u8], each: &mut impl FnMut(Event<'_>)) {
    let data = line.trim_ascii();
    if !data.is_empty() {
        each(Event { name: b"", data });
    }
}

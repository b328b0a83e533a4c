//! Lends the events of a stream.

#[cfg(test)]
mod tests;

use super::{EventBoundary, EventFrame, RawEvent};
use crate::StreamFraming;

/// Reads the events of one stream.
///
/// An event that lies in one piece of bytes is lent as it is; only what is split over pieces is copied.
#[derive(Debug)]
pub(crate) struct Decoder {
    boundary: EventBoundary,
    /// The beginning of a block whose end has not come.
    held: Vec<u8>,
    /// An event was too large, or the bytes are over: nothing is read any more.
    dead: bool,
}

/// An event is larger than [`Decoder::MAX_EVENT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

// === impl Decoder ===

impl Decoder {
    /// The largest event, in bytes. An image in base64 is one event of some providers, so this is far above any text.
    pub(crate) const MAX_EVENT: usize = 16 * 1024 * 1024;
    /// A buffer that has grown past this is given back once the event is read.
    const KEPT: usize = 64 * 1024;

    pub(crate) fn new(framing: StreamFraming) -> Self {
        Self { boundary: EventBoundary::new(framing), held: Vec::new(), dead: false }
    }

    /// Whether the next byte is the first of a server-sent event.
    pub(crate) fn is_between_events(&self) -> bool {
        self.boundary.is_between_events()
    }

    /// Whether anything that was read is framed as events are.
    pub(crate) fn is_framed(&self) -> bool {
        self.boundary.is_framed()
    }

    /// Whether what frames the events has ended: nothing more comes.
    pub(crate) fn is_closed(&self) -> bool {
        self.boundary.is_closed()
    }

    /// Reads the next bytes and calls `each` with every event that ends in them.
    pub(crate) fn feed(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(RawEvent<'_>),
    ) -> Result<(), TooLarge> {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = &rest[self.feed_one(rest, &mut each)?..];
        }
        Ok(())
    }

    /// The same up to the end of the event under way; returns how many bytes were read.
    pub(crate) fn feed_one(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(RawEvent<'_>),
    ) -> Result<usize, TooLarge> {
        let end = if self.dead { None } else { self.boundary.next(bytes) };
        match end {
            Some(end) if self.held.is_empty() => {
                self.check(end)?;
                self.read(&bytes[..end], &mut each);
            }
            Some(end) => {
                self.hold(&bytes[..end])?;
                self.read_held(&mut each);
            }
            None if !self.dead && self.boundary.drop_lead() => self.held.clear(),
            None => self.hold(bytes)?,
        }
        Ok(end.unwrap_or(bytes.len()))
    }

    /// The bytes are over: a last event whose end never came is read all the same, but for an element of an array.
    pub(crate) fn finish(&mut self, mut each: impl FnMut(RawEvent<'_>)) {
        if !self.dead && self.boundary.frame() != EventFrame::Array {
            self.read_held(&mut each);
        }
        self.dead = true;
    }

    fn read_held(&mut self, each: &mut impl FnMut(RawEvent<'_>)) {
        let mut held = std::mem::take(&mut self.held);
        self.read(&held, each);
        held.clear();
        if held.capacity() > Self::KEPT {
            held.shrink_to(Self::KEPT);
        }
        self.held = held;
    }

    fn read(&mut self, block: &[u8], each: &mut impl FnMut(RawEvent<'_>)) {
        // Data of several lines is rare: an empty buffer costs nothing.
        self.boundary.read(block, &mut Vec::new(), |name, data| each(RawEvent { name, data }));
    }

    fn hold(&mut self, part: &[u8]) -> Result<(), TooLarge> {
        self.check(self.held.len() + part.len())?;
        self.held.extend_from_slice(part);
        Ok(())
    }

    fn check(&mut self, length: usize) -> Result<(), TooLarge> {
        if self.dead || length > Self::MAX_EVENT {
            (self.dead, self.held) = (true, Vec::new());
            return Err(TooLarge);
        }
        Ok(())
    }
}

/// Reads the events of a stream that is there as a whole. What is too large is passed by, with all that follows it.
pub(crate) fn each_event(framing: StreamFraming, bytes: &[u8], mut each: impl FnMut(RawEvent<'_>)) {
    let mut decoder = Decoder::new(framing);
    let _all_that_can_be_read = decoder.feed(bytes, &mut each);
    decoder.finish(each);
}

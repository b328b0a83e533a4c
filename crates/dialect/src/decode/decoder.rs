//! Splits a stream into events, which borrow its bytes.

#[cfg(test)]
mod tests;

use super::{EventBoundary, EventFrame, RawEvent};
use crate::{StreamFraming, json::trim_bom};

/// Decodes the events of one stream.
///
/// An event within one piece of bytes is borrowed; only an event that is split over pieces is copied.
#[derive(Debug)]
pub(crate) struct Decoder {
    boundary: EventBoundary,
    /// The start of a block whose end has not arrived.
    held: Vec<u8>,
    /// Whether decoding has ended: an event was too large, or the bytes have ended.
    dead: bool,
}

/// An event is larger than [`Decoder::MAX_EVENT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

// === impl Decoder ===

impl Decoder {
    /// The largest event, in bytes: 16 MiB. Some providers send an image in base64 as one event, so this is far above any text.
    pub(crate) const MAX_EVENT: usize = 16 * 1024 * 1024;
    /// The buffer shrinks to this capacity after an event is decoded.
    const KEPT: usize = 64 * 1024;

    pub(crate) fn new(framing: StreamFraming) -> Self {
        Self { boundary: EventBoundary::new(framing), held: Vec::new(), dead: false }
    }

    /// Whether the next byte is the first of a server-sent event.
    pub(crate) fn is_between_events(&self) -> bool {
        self.boundary.is_between_events()
    }

    /// Whether any of the bytes were framed as events, including the start of an event whose end has not arrived.
    pub(crate) fn is_framed(&self) -> bool {
        const FIELDS: [&[u8]; 5] = [b"data:", b"event:", b"id:", b"retry:", b":"];
        let held = trim_bom(&self.held);
        self.boundary.is_framed() || FIELDS.iter().any(|field| held.starts_with(field))
    }

    /// Whether the framing has ended: there are no more events.
    pub(crate) fn is_closed(&self) -> bool {
        self.boundary.is_closed()
    }

    /// Decodes the next bytes and calls `each` with every event that ends in them.
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

    /// Decodes up to the end of the current event. Returns the number of bytes used.
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

    /// Ends the bytes: a last event without an end is decoded too, except an element of an array.
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
        // Data of several lines is rare; an empty buffer does not allocate.
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

/// Decodes the events of a whole stream. An event that is too large is skipped, with everything after it.
pub(crate) fn each_event(framing: StreamFraming, bytes: &[u8], mut each: impl FnMut(RawEvent<'_>)) {
    let mut decoder = Decoder::new(framing);
    let _all_that_can_be_read = decoder.feed(bytes, &mut each);
    decoder.finish(each);
}

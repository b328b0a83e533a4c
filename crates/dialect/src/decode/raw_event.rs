//! One event as its framing delivers it; the reader of its dialect parses its data.

/// One event of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RawEvent<'a> {
    /// The `event:` name; empty if there is none.
    pub(crate) name: &'a [u8],
    /// The data: JSON, or a sentinel. The data lines of one server-sent event are joined by line feeds.
    pub(crate) data: &'a [u8],
}

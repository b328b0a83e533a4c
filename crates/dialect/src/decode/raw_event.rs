//! One event as its framing has it: its data is for the reader of its dialect.

/// One event of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RawEvent<'a> {
    /// Its `event:` name; empty where it has none.
    pub(crate) name: &'a [u8],
    /// The JSON, or the sentinel, in it; data lines of one server-sent event are joined by line feeds.
    pub(crate) data: &'a [u8],
}

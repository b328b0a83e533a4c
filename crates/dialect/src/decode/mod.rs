//! Where one event of a stream ends and the next begins: server-sent events, JSON by the line, one JSON array.
//!
//! The decoders take bytes that may be split anywhere and lend each event as it lies in them; only what is split is copied.

pub(crate) mod array;
mod each;
pub(crate) mod ndjson;
pub(crate) mod sse;

pub(crate) use each::each_event;

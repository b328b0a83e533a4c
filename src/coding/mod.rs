//! Content codings: bodies in gzip, deflate, zstd and br are read like plain ones.
//!
//! A request whose body is in a content coding is decoded once, by [`DecodeRequestLayer`] at the top of the stack, so that all
//! layers read the plain body: the model, whether it streams, its size, its cache key. [`RestoreRequestLayer`], next to the
//! transport, restores the original bytes and headers of a request that was not changed. A request that was changed (another
//! model, an edit), or that goes to another host than the caller addressed, is sent plain, without `content-encoding` and without
//! the digests of the coded bytes.
//!
//! An answer in a content coding is classified as if it were plain, event by event, and is handed on byte for byte. Where a body
//! has to be changed or stored, it is decoded: [`decode_response`](crate::stream::decode_response).
//!
//! [`Client`](crate::Client) has both layers. Use them where you put layers together by hand.
//!
//! # Defaults
//!
//! | | bound | beyond it |
//! |---|---|---|
//! | a request | 32 MiB decoded | sent as it came, unread |
//! | an answer that is not streamed | that of [`ClassifyPolicy::collect`](crate::classify::ClassifyPolicy::collect), decoded | handed on unread |
//! | a stream | 32 MiB more than 100 times its coded bytes | [`Malformed`](crate::outcome::Outcome::Malformed) |
//! | codings of one body | 3 | unread |
//! | the window of zstd | 8 MiB (RFC 9659) | unread, or `Malformed` |
//!
//! A request in an unknown coding, or one that cannot be decoded, is sent as it came: its provider judges it. An answer in an
//! unknown coding is handed on unread and counts as a success from its head on. An answer that cannot be decoded is `Malformed`,
//! and one that is cut `Truncated`.
//!
//! Without the feature `compression` every coding is an unknown one.
//!
//! ```
//! use bytes::Bytes;
//! use evenkeel::coding::decode_request;
//!
//! let body = Bytes::from("{}");
//! let mut request = http::Request::post("https://api.example/v1/chat/completions").body(body)?;
//! // A request without a content coding stays as it is.
//! decode_request(&mut request);
//! assert_eq!(request.body(), "{}");
//! # Ok::<(), http::Error>(())
//! ```
//!
//! # Events
//!
//! None.
//!
//! # Pitfalls
//!
//! A request is decoded within the poll that sends it. Layers that are used without [`DecodeRequestLayer`] know nothing of a coded
//! request but its path.

mod chain;
mod codings;
mod decode_error;
#[cfg(feature = "compression")]
mod decoder;
#[cfg(not(feature = "compression"))]
#[path = "no_decoder.rs"]
mod decoder;
mod headers;
mod request;
mod service;
mod stream;
#[cfg(all(test, feature = "compression"))]
mod tests;

pub(crate) use chain::{decode, decode_start};
pub(crate) use codings::Codings;
pub(crate) use decode_error::DecodeError;
pub(crate) use headers::remove_coding;
pub use request::decode_request;
pub use service::{DecodeRequest, DecodeRequestLayer, RestoreRequest, RestoreRequestLayer};
pub(crate) use stream::StreamDecoder;

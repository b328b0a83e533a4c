//! Requests and responses with buffered bodies.

use bytes::Bytes;

/// A request with a buffered body.
pub type Request = http::Request<Bytes>;

/// A response with a buffered body.
pub type Response = http::Response<Bytes>;

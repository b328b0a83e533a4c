//! Requests and responses whose bodies are bytes.

use bytes::Bytes;

/// A request whose body is known in full.
pub type Request = http::Request<Bytes>;

/// A response whose body is known in full.
pub type Response = http::Response<Bytes>;

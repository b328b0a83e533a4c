//! Keeps a business on an even keel while the AI API it depends on goes under.

mod body;
pub mod breaker;
pub mod classify;
pub mod context;
pub mod dialect;
mod error;
pub mod retry;
mod routes;
pub mod stream;
mod sync;
pub mod telemetry;
pub mod timeout;
pub mod upstream;

pub use body::Body;
pub use error::{BoxError, ConfigError, Error};
pub use upstream::{Request, Response, Upstream};

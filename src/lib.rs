//! Keeps a business on an even keel while the AI API it depends on goes under.

#![deny(clippy::print_stdout, clippy::print_stderr)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "reqwest")]
pub mod adapter;
mod body;
pub mod breaker;
pub mod classify;
mod client;
pub mod context;
pub mod dialect;
mod error;
pub mod ladder;
mod profile;
pub mod retry;
mod routes;
mod stack;
pub mod stream;
mod sync;
pub mod telemetry;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod timeout;
pub mod upstream;

pub use body::Body;
pub use client::{Answer, Client, ClientBuilder};
pub use error::{BoxError, ConfigError, Error};
pub use profile::Profile;
pub use upstream::{Request, Response, Upstream};

//! Adapters for popular clients.
//!
//! | client | adapter |
//! |---|---|
//! | [`reqwest`](https://docs.rs/reqwest) | [`Client::execute`](crate::Client), `Service<reqwest::Request>`; [`Reqwest`] is the transport under it |
//! | [`reqwest-middleware`](https://docs.rs/reqwest-middleware) | [`EvenkeelMiddleware`](reqwest_middleware::EvenkeelMiddleware): `ClientBuilder::with(…)`; feature `reqwest-middleware` |
//! | [`async-openai`](https://docs.rs/async-openai) | [`EvenkeelService`](async_openai::EvenkeelService): `Client::with_http_service(…)`; feature `async-openai` |
//! | any Tower stack | [`Client`](crate::Client) and every layer are services over [`Upstream`](crate::Upstream) |
//!
//! [`guide`](crate::guide) has a page for each, with its pitfalls.
//!
//! # Pitfalls
//!
//! A client that retries by itself multiplies with evenkeel's retries: 3 of its attempts around 3 of evenkeel's are 9 requests
//! for each call. Turn the client's own retries off.

#[cfg(feature = "async-openai")]
pub mod async_openai;
mod client;
mod convert;
mod dialed;
mod errors;
mod hyper;
mod into_call;
mod kept;
mod reconnect;
mod reqwest;
#[cfg(feature = "reqwest-middleware")]
pub mod reqwest_middleware;
mod wire;

pub use dialed::{DialedConnector, DialedLayer};
pub use reconnect::Reconnect;
pub use reqwest::Reqwest;

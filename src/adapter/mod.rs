//! Adapters for popular clients.
//!
//! | client | adapter |
//! |---|---|
//! | [`reqwest`](https://docs.rs/reqwest) | [`Client::execute`](crate::Client), `Service<reqwest::Request>`; [`Reqwest`] is the transport under it |
//! | [`reqwest-middleware`](https://docs.rs/reqwest-middleware) | [`EvenkeelMiddleware`](reqwest_middleware::EvenkeelMiddleware): `ClientBuilder::with(…)`; feature `reqwest-middleware` |
//! | [`async-openai`](https://docs.rs/async-openai) | [`EvenkeelService`](async_openai::EvenkeelService): `Client::with_http_service(…)`; feature `async-openai` |
//! | any HTTP client that is a Tower service | [`HttpService`] makes it the transport under evenkeel |
//! | any Tower stack | [`Client`](crate::Client) and every layer are services over [`Upstream`](crate::Upstream); [`CollectLayer`] takes requests with any body |
//!
//! [`guide`](crate::guide) has a page for each, with its pitfalls.
//!
//! # Pitfalls
//!
//! A client that retries by itself multiplies with evenkeel's retries: 3 of its attempts around 3 of evenkeel's are 9 requests
//! for each call. Turn the client's own retries off.

#[cfg(feature = "async-openai")]
pub mod async_openai;
#[cfg(feature = "reqwest")]
mod client;
mod collect;
#[cfg(feature = "reqwest")]
mod convert;
#[cfg(feature = "hyper")]
mod dialed;
#[cfg(feature = "reqwest")]
mod errors;
#[cfg(feature = "reqwest")]
mod has_tls;
mod http_service;
#[cfg(feature = "hyper")]
mod hyper;
#[cfg(feature = "reqwest")]
mod into_call;
#[cfg(feature = "hyper")]
mod kept;
mod recognise;
#[cfg(feature = "hyper")]
mod reconnect;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "reqwest-middleware")]
pub mod reqwest_middleware;
mod sync_body;
mod transport_error;
#[cfg(feature = "reqwest")]
mod upload;
#[cfg(feature = "reqwest")]
mod wire;

pub use collect::{Collect, CollectLayer};
#[cfg(feature = "hyper")]
pub use dialed::{DialedConnector, DialedLayer};
pub use http_service::HttpService;
#[cfg(feature = "hyper")]
pub use reconnect::Reconnect;
#[cfg(feature = "reqwest")]
pub use reqwest::Reqwest;

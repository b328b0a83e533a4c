//! With hyper: a client of hyper-util under evenkeel, with a connector, a pool and TLS of yours.
//!
//! [`HttpService`](crate::adapter::HttpService) makes it the transport. [`Reconnect`](crate::adapter::Reconnect) around it
//! recovers from dead kept connections; [`DialedLayer`](crate::adapter::DialedLayer) around the connector lets it distinguish
//! them from a silent provider. They need evenkeel's feature `hyper`, which `reqwest` includes; without reqwest:
//! `evenkeel = { version = "0.1", default-features = false, features = ["cache", "hyper"] }`.
//!
//! ```
//! use std::time::Duration;
//! use bytes::Bytes;
//! use evenkeel::{
//!     Client, ResponseExt,
//!     adapter::{DialedLayer, HttpService, Reconnect},
//! };
//! use http_body_util::{BodyExt, Full};
//! use hyper_util::{
//!     client::legacy::{Client as Hyper, connect::HttpConnector},
//!     rt::{TokioExecutor, TokioTimer},
//! };
//! use tower::Layer;
//! # use evenkeel_testkit::{Provider, Server};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // For `https://`, the connector of hyper-rustls or hyper-tls around this one.
//! let mut connector = HttpConnector::new();
//! connector.set_connect_timeout(Some(Duration::from_secs(5)));
//! connector.set_keepalive(Some(Duration::from_secs(15)));
//! connector.set_nodelay(true);
//! let pool = |idle: usize| {
//!     let hyper: Hyper<_, Full<Bytes>> = Hyper::builder(TokioExecutor::new())
//!         .pool_timer(TokioTimer::new())
//!         .pool_idle_timeout(Duration::from_secs(50))
//!         .pool_max_idle_per_host(idle)
//!         .build(DialedLayer::default().layer(connector.clone()));
//!     HttpService::new(hyper)
//! };
//! // Two pools and one without, so that a request can avoid the kept connections of a node that is gone.
//! let transport = Reconnect::with_pools([pool(usize::MAX), pool(usize::MAX)], pool(0));
//! let client = Client::builder().build_with(transport)?;
//!
//! # let server = Server::start(Provider::new("api")).await?;
//! # let url = format!("{}/v1/chat/completions", server.url());
//! # let body = Bytes::from(r#"{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Where is my parcel?"}]}"#);
//! let request = http::Request::post(url).header("content-type", "application/json").body(body)?;
//! let response = client.send(request).await?.into_result()?;
//! let answer = response.into_body().collect().await?.to_bytes();
//! # assert!(!answer.is_empty());
//! # Ok(()) }
//! ```
//!
//! # Pitfalls
//!
//! * **The pool timer.** Without [`pool_timer`](hyper_util::client::legacy::Builder::pool_timer) hyper never closes an idle
//!   connection: the first call after a pause meets one that a load balancer has closed.
//! * **Retries.** hyper sends a request again by itself if a kept connection closes before it is written
//!   (`retry_canceled_requests`); that is safe, as nothing was sent.
//! * **HTTP/2.** Set `http2_keep_alive_interval` and `http2_keep_alive_timeout`, so that a dead connection is not taken for a
//!   silent provider.

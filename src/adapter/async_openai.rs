//! The whole stack as the HTTP service of an [`async-openai`](https://docs.rs/async-openai) client.
//!
//! ```no_run
//! use async_openai::config::OpenAIConfig;
//! use evenkeel::{Client, adapter::async_openai::EvenkeelService, fallback::Fallback};
//!
//! # fn main() -> Result<(), evenkeel::ConfigError> {
//! let evenkeel = Client::builder()
//!     .fallback(Fallback::canned("We are very busy. Please write to us."))
//!     .build()?;
//! let client = async_openai::Client::with_config(OpenAIConfig::new())
//!     .with_http_service(EvenkeelService::new(evenkeel));
//! # let _ = client; Ok(())
//! # }
//! ```
//!
//! This replaces the client's own retries: evenkeel makes every attempt.
//!
//! # Errors
//!
//! * An answer with an error status is an `OpenAIError::ApiError` with that status, whatever its body: one that the client cannot
//!   parse (a page, a list, a numeric code) is converted to the shape it parses.
//! * No connection, and a connection that broke, are `OpenAIError::Reqwest`, as without evenkeel.
//! * Everything else, such as a timeout or a refusal by a breaker, is an `OpenAIError::Boxed` with evenkeel's [`Error`] inside:
//!   `boxed.downcast_ref::<evenkeel::Error>()`.
//! * A stream that fails after its first event ends with an `OpenAIError::StreamError`, which has no source. Its outcome is
//!   reported to [listeners](crate::ClientBuilder::observe).
//!
//! # Pitfalls
//!
//! `with_http_client` after `with_http_service` silently restores the client's own transport and retries. An upload (a multipart
//! form) whose file is read from a path is streamed: it is sent once, without retries and without other targets, unless the client
//! [buffers uploads](crate::ClientBuilder::buffer_uploads). One from bytes in memory is sent again as any other request.

mod legible;

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use async_openai::{error::OpenAIError, middleware::HttpRequestFactory};
use tower::Service;

use self::legible::legible;
use super::convert::{from_reqwest, into_reqwest};
use crate::{
    Client, Error,
    outcome::{Outcome, Rejection},
};

/// A [`Client`] as the HTTP service of an async-openai client. See [the module](self).
#[derive(Clone, Debug)]
pub struct EvenkeelService {
    client: Client,
}

// === impl EvenkeelService ===

impl EvenkeelService {
    /// Uses that client, which stays usable: clones share breakers, budgets and connections.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }
}

impl Service<HttpRequestFactory> for EvenkeelService {
    type Response = reqwest::Response;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<reqwest::Response, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, factory: HttpRequestFactory) -> Self::Future {
        let client = self.client.clone();
        Box::pin(async move {
            let request = factory.build().await.map_err(unbuilt)?;
            let asked = request.url().clone();
            let response =
                client.send(from_reqwest(request, client.upload_buffer()).await?).await?;
            Ok(into_reqwest(legible(response).await, asked))
        })
    }
}

// === errors ===

/// The error of a request that async-openai could not build: nothing was sent.
fn unbuilt(error: OpenAIError) -> Error {
    Error::new(Outcome::Rejected { why: Rejection::Request }).with_source(error)
}

impl From<Error> for OpenAIError {
    /// Unwraps the client's own errors, so that existing matches on them still work.
    fn from(error: Error) -> Self {
        let error = match error.into_source::<OpenAIError>() {
            Ok(own) => return own,
            Err(error) => error,
        };
        match error.into_source::<reqwest::Error>() {
            Ok(transport) => Self::Reqwest(transport),
            Err(error) => Self::Boxed(Box::new(error)),
        }
    }
}

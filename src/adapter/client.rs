//! The client over reqwest, called like reqwest's own.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use tower::Service;

use super::{Reqwest, has_tls};
use crate::{Client, ClientBuilder, ConfigError, Error};

// === impl ClientBuilder ===

impl ClientBuilder {
    /// Builds a client over a reqwest client with recommended settings: see [`Reqwest::new`](crate::adapter::Reqwest::new).
    ///
    /// # Errors
    ///
    /// If a value is invalid, alone or in combination: names the field, the value and what is allowed. A target at `https://`
    /// needs a `reqwest` with a feature for TLS.
    pub fn build(self) -> Result<Client, ConfigError> {
        let connect = self.profile.connect.within(self.profile.deadline).time();
        self.build_over(Reqwest::new(connect)?)
    }

    /// Reads the streamed body of a request up to that many bytes before the request is sent, so that it can be retried and sent to
    /// other targets: an upload of a file, a body that passes through a server. A longer one is sent once and whole, as it comes.
    ///
    /// The time that it takes is part of the call; a body that has not arrived at the deadline is too late. The calls under way
    /// may take that much memory each.
    ///
    /// # Default
    ///
    /// 0: a streamed body is sent as it comes, once.
    pub fn buffer_uploads(mut self, max_bytes: usize) -> Self {
        self.buffer_uploads = max_bytes;
        self
    }

    /// Builds a client over an existing reqwest client: see [`Reqwest::from_client`](crate::adapter::Reqwest::from_client).
    ///
    /// # Errors
    ///
    /// If a value is invalid, alone or in combination: names the field, the value and what is allowed.
    pub fn build_with_reqwest(self, client: reqwest::Client) -> Result<Client, ConfigError> {
        self.build_over(Reqwest::from_client(client))
    }

    fn build_over(self, transport: Reqwest) -> Result<Client, ConfigError> {
        let fallbacks = self.fallbacks.clone();
        if self.before.is_some() {
            // A build that fails changes nothing.
            has_tls::check(&fallbacks)?;
        }
        let client = self.build_with(transport)?;
        has_tls::check(&fallbacks)?;
        Ok(client)
    }
}

// === impl Client ===

impl Service<reqwest::Request> for Client {
    type Response = reqwest::Response;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<reqwest::Response, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: reqwest::Request) -> Self::Future {
        let client = self.clone();
        Box::pin(async move { client.execute(request).await })
    }
}

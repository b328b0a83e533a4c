//! The client over reqwest, called like reqwest's own.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use tower::Service;

use super::Reqwest;
use crate::{Client, ClientBuilder, ConfigError, Error};

// === impl ClientBuilder ===

impl ClientBuilder {
    /// Builds a client over a reqwest client with recommended settings: see [`Reqwest::new`](crate::adapter::Reqwest::new).
    ///
    /// # Errors
    ///
    /// If a value is invalid, alone or in combination: names the field, the value and what is allowed.
    pub fn build(self) -> Result<Client, ConfigError> {
        let connect = self.profile.connect.within(self.profile.deadline).time();
        self.build_with(Reqwest::new(connect)?)
    }

    /// Builds a client over an existing reqwest client: see [`Reqwest::from_client`](crate::adapter::Reqwest::from_client).
    ///
    /// # Errors
    ///
    /// If a value is invalid, alone or in combination: names the field, the value and what is allowed.
    pub fn build_with_reqwest(self, client: reqwest::Client) -> Result<Client, ConfigError> {
        self.build_with(Reqwest::from_client(client))
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

//! The whole stack as a `reqwest-middleware` [`Middleware`].
//!
//! ```no_run
//! use evenkeel::{Client, adapter::reqwest_middleware::EvenkeelMiddleware, fallback::Fallback};
//! use reqwest_middleware::ClientBuilder;
//!
//! # fn main() -> Result<(), evenkeel::ConfigError> {
//! let evenkeel = EvenkeelMiddleware::new(
//!     Client::builder().fallback(Fallback::canned("We are very busy. Please write to us.")),
//! )?;
//! let client = ClientBuilder::new(reqwest::Client::new()).with(evenkeel).build();
//! # let _ = client; Ok(())
//! # }
//! ```
//!
//! Middlewares that are added after it run once for every attempt, those added before it once for every call. Add one that signs
//! or logs each request after it. Leave `reqwest-retry` out: its retries would multiply with evenkeel's.
//!
//! A request may have settings of its own: `.with_extension(options)` with [`CallOptions`](crate::CallOptions), or with a single
//! [value of a call](crate::context), such as a [`Deadline`](crate::context::Deadline). For all requests of a client:
//! `.with_init(reqwest_middleware::Extension(options))`.
//!
//! A call that fails is an `Error::Middleware` with evenkeel's [`Error`] inside, including its sources:
//! `error.downcast_ref::<evenkeel::Error>()`. A streaming request body is passed through once, without retries and without other
//! targets, unless the client [buffers uploads](crate::ClientBuilder::buffer_uploads). evenkeel does not see what the underlying client does by itself, such as its default headers and its redirects: see
//! [`Reqwest::from_client`](super::Reqwest::from_client).
//!
//! A client above may treat every transport error as transient, as rig does, and retry at once when a breaker refuses. With
//! [`refusals_as_503`](EvenkeelMiddleware::refusals_as_503) it gets a response that states when to retry.

mod outgoing;

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll},
};

use async_trait::async_trait;
use http::{Extensions, HeaderValue, StatusCode, header};
use reqwest_middleware::{Middleware, Next};
use tokio::sync::mpsc;

use self::outgoing::{Attempt, AttemptSender, Outgoing};
use super::{
    Reconnect,
    convert::{from_reqwest, from_wire, into_reqwest, to_wire},
    errors::failed,
};
use crate::{
    Client, ClientBuilder, ConfigError, Error, Response, breaker::Breakers, call_options,
    outcome::Outcome,
};

/// The whole stack as a [`Middleware`]. See [the module](self).
#[derive(Clone, Debug)]
pub struct EvenkeelMiddleware {
    /// Sends the calls.
    stack: Client,
    /// The same as its users see it, with handles alone.
    client: Client,
    refusals_as_503: bool,
}

type Running<'a> = Pin<Box<dyn Future<Output = Option<Extensions>> + Send + 'a>>;

// === impl EvenkeelMiddleware ===

impl EvenkeelMiddleware {
    /// Creates the stack of a builder; its transport is the client that the middleware is added to.
    ///
    /// # Errors
    ///
    /// If the configuration is invalid: see [`ClientBuilder::build`].
    pub fn new(builder: ClientBuilder) -> Result<Self, ConfigError> {
        let stack = builder.build_with(Reconnect::new(Outgoing {}))?;
        let client = stack.handles_only(
            "a call through the reqwest-middleware client that this middleware was added to",
        );
        Ok(Self { stack, client, refusals_as_503: false })
    }

    /// Answers a call that was refused locally with a response instead of an error: status 503, `retry-after` in whole seconds if
    /// the time is known, and an error in OpenAI's shape with the code `evenkeel_refused`. Off by default, since an error has
    /// more information for callers that read it.
    #[must_use]
    pub fn refusals_as_503(mut self) -> Self {
        self.refusals_as_503 = true;
        self
    }

    /// The client behind this middleware, for its handles and questions: [`breakers`](Client::breakers), [`limits`](Client::limits),
    /// [`availability_of`](Client::availability_of), [`reset`](Client::reset). Keep a clone before the middleware moves into its
    /// client.
    ///
    /// It has no transport of its own: its `send`, `call` and `execute` return an [`Error`] that says so, without an attempt.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The breakers of all routes.
    pub fn breakers(&self) -> &Breakers {
        self.client.breakers()
    }
}

#[async_trait]
impl Middleware for EvenkeelMiddleware {
    async fn handle(
        &self,
        request: reqwest::Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        let url = request.url().clone();
        let mut request = from_reqwest(request, self.client.upload_buffer()).await.map_err(wrap)?;
        call_options::carry(extensions, &mut request);
        // At most one attempt and its hedge are under way.
        let (sender, mut attempts) = mpsc::channel(2);
        request.extensions_mut().insert(AttemptSender(sender));
        let mut call = pin!(self.stack.send(request));
        let mut running: Vec<Running<'_>> = Vec::new();
        loop {
            let step = poll_fn(|cx| {
                if let Poll::Ready(result) = call.as_mut().poll(cx) {
                    return Poll::Ready(Step::Answer(result));
                }
                if let Poll::Ready(Some(attempt)) = attempts.poll_recv(cx) {
                    return Poll::Ready(Step::Send(attempt));
                }
                poll_running(&mut running, cx)
            });
            match step.await {
                Step::Answer(Ok(response)) => return Ok(into_reqwest(response, url)),
                Step::Answer(Err(error)) if self.refusals_as_503 && error.is_refused() => {
                    return Ok(into_reqwest(refusal(&error), url));
                }
                Step::Answer(Err(error)) => return Err(wrap(error)),
                Step::Send(attempt) => {
                    running.push(Box::pin(run(attempt, next.clone(), extensions.clone())));
                }
                Step::Ran(Some(seen)) => *extensions = seen,
                Step::Ran(None) => {}
            }
        }
    }
}

enum Step {
    Answer(Result<Response, Error>),
    Send(Attempt),
    Ran(Option<Extensions>),
}

/// Polls the attempts; returns what the inner middlewares of one that ended left in the extensions.
fn poll_running(running: &mut Vec<Running<'_>>, cx: &mut Context<'_>) -> Poll<Step> {
    for at in 0..running.len() {
        if let Poll::Ready(seen) = running[at].as_mut().poll(cx) {
            drop(running.swap_remove(at));
            return Poll::Ready(Step::Ran(seen));
        }
    }
    Poll::Pending
}

/// Runs one attempt through the inner middlewares, unless the stack drops it.
async fn run(
    Attempt { request, mut reply }: Attempt,
    next: Next<'_>,
    mut extensions: Extensions,
) -> Option<Extensions> {
    let result = match to_wire(request) {
        Ok(request) => {
            let mut sent = next.run(request, &mut extensions);
            let result = poll_fn(|cx| match reply.poll_closed(cx) {
                Poll::Ready(()) => Poll::Ready(None),
                Poll::Pending => sent.as_mut().poll(cx).map(Some),
            });
            result.await?.map(from_wire).map_err(unwrap)
        }
        Err(error) => Err(error),
    };
    // Fails if the stack has just dropped the attempt.
    let _ = reply.send(result);
    Some(extensions)
}

// === errors ===

/// The response for a local refusal.
fn refusal(error: &Error) -> Response {
    let said = serde_json::json!({ "error": {
        "message": error.to_string(), "type": "service_unavailable", "param": null, "code": "evenkeel_refused",
    }});
    let mut response = Response::new(said.to_string().into());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(wait) = error.retry_in() {
        // Whole seconds, which every client parses; rounded up, and at least one.
        let seconds = wait.as_millis().div_ceil(1000).max(1) as u64;
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(attempt_log) = error.attempt_log() {
        response.extensions_mut().insert(attempt_log.clone());
    }
    response
}

fn wrap(error: Error) -> reqwest_middleware::Error {
    reqwest_middleware::Error::Middleware(anyhow::Error::new(error))
}

/// The error of an inner middleware: this crate's and reqwest's unchanged, any other as a lost connection.
fn unwrap(error: reqwest_middleware::Error) -> Error {
    match error {
        reqwest_middleware::Error::Reqwest(error) => failed(error),
        reqwest_middleware::Error::Middleware(error) => match error.downcast::<Error>() {
            Ok(error) => error,
            Err(error) => match error.downcast::<reqwest::Error>() {
                Ok(error) => failed(error),
                Err(error) => Error::new(Outcome::ConnectionLost).with_source(error),
            },
        },
    }
}

//! Services below a layer.

use std::{
    future::{Ready, ready},
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::Bytes;
use evenkeel::{Error, Request, Response, Upstream};
use tower::{Service, service_fn};

/// The requests that reached a service.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestLog(Arc<Mutex<Vec<Request>>>);

/// A service that is never ready.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NeverReady;

/// A service that must be polled ready before each call; each clone needs its own poll.
pub(crate) struct StrictReadiness<F> {
    ready: bool,
    answer: F,
}

// === impl RequestLog ===

impl RequestLog {
    /// A service that records each request and answers it with `answer`.
    pub(crate) fn answering<F>(&self, answer: F) -> impl Upstream + use<F>
    where
        F: Fn(&Request) -> Result<Response, Error> + Clone + Send + Sync + 'static,
    {
        let log = self.clone();
        service_fn(move |request: Request| {
            let result = answer(&request);
            log.0.lock().unwrap().push(request);
            ready(result)
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    pub(crate) fn all(&self) -> Vec<Request> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn last(&self) -> Request {
        self.0.lock().unwrap().last().cloned().unwrap()
    }

    pub(crate) fn last_body(&self) -> String {
        String::from_utf8(self.last().body().to_vec()).unwrap()
    }

    /// The hosts of the requests, in order.
    pub(crate) fn hosts(&self) -> Vec<String> {
        self.all().iter().map(|request| host(request).to_owned()).collect()
    }

    /// The models of the requests, in order.
    pub(crate) fn models(&self) -> Vec<String> {
        let model = |body: &Bytes| {
            let body: serde_json::Value = serde_json::from_slice(body).unwrap();
            body["model"].as_str().unwrap().to_owned()
        };
        self.all().iter().map(|request| model(request.body())).collect()
    }
}

pub(crate) fn host(request: &Request) -> &str {
    request.uri().host().unwrap_or_default()
}

// === impl NeverReady ===

impl Service<Request> for NeverReady {
    type Response = Response;
    type Error = Error;
    type Future = Ready<Result<Response, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Pending
    }

    fn call(&mut self, _: Request) -> Self::Future {
        panic!("called without having been ready");
    }
}

// === impl StrictReadiness ===

impl<F> StrictReadiness<F> {
    pub(crate) fn new(answer: F) -> Self {
        Self { ready: false, answer }
    }
}

impl<F: Clone> Clone for StrictReadiness<F> {
    fn clone(&self) -> Self {
        Self::new(self.answer.clone())
    }
}

impl<F: Fn() -> Result<Response, Error>> Service<Request> for StrictReadiness<F> {
    type Response = Response;
    type Error = Error;
    type Future = Ready<Result<Response, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without having been ready");
        ready((self.answer)())
    }
}

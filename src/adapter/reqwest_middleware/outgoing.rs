//! The transport of the middleware: the inner middlewares and their client, which only a running `handle` can reach.

use std::task::{Context, Poll};

use tokio::sync::{mpsc, oneshot};
use tower::Service;

use crate::{Error, Request, Response, outcome::Outcome, upstream::ResponseFuture};

/// The innermost service: passes every attempt to the `handle` that runs the call, and returns its result.
#[derive(Clone, Debug, Default)]
pub(super) struct Outgoing {}

/// The channel to that `handle`, in the extensions of the request.
#[derive(Clone)]
pub(super) struct AttemptSender(pub(super) mpsc::Sender<Attempt>);

pub(super) struct Attempt {
    pub(super) request: Request,
    pub(super) reply: oneshot::Sender<Result<Response, Error>>,
}

// === impl Outgoing ===

impl Service<Request> for Outgoing {
    type Response = Response;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let way = request.extensions_mut().remove::<AttemptSender>();
        Box::pin(async move {
            let gone = || Error::new(Outcome::Cancelled);
            let way = way.ok_or_else(gone)?;
            let (reply, result) = oneshot::channel();
            way.0.send(Attempt { request, reply }).await.map_err(|_| gone())?;
            result.await.map_err(|_| gone())?
        })
    }
}

//! Acts replies out in process.

use std::{
    io,
    task::{Context, Poll},
};

use evenkeel::{Body, Error, Request, Response, outcome::Outcome, upstream::ResponseFuture};
use http::{HeaderValue, header};
use tower::Service;

use crate::{
    Provider,
    provider::{Flight, body::Acted},
    reply::{Head, Script, Step},
};

impl Service<Request> for Provider {
    type Response = Response;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let provider = self.clone();
        Box::pin(async move {
            let (flight, script) =
                provider.begin(request.uri().path(), request.headers(), request.body());
            act(flight, script).await
        })
    }
}

/// Acts out everything up to the head; the body does the rest.
async fn act(mut flight: Flight, mut script: Script) -> Result<Response, Error> {
    while let Some(step) = script.next() {
        match step {
            Step::Wait(wait) => tokio::time::sleep(wait).await,
            Step::Head(head) => return Ok(answer(*head, Acted::new(flight, script))),
            Step::Hang => std::future::pending().await,
            Step::Refuse => {
                flight.done();
                return Err(failed(Outcome::Unreachable, io::ErrorKind::ConnectionRefused));
            }
            Step::Reset => {
                flight.done();
                return Err(failed(Outcome::ConnectionLost, io::ErrorKind::ConnectionReset));
            }
            // Closed: nothing else comes before a head.
            _ => break,
        }
    }
    flight.done();
    Err(failed(Outcome::ConnectionLost, io::ErrorKind::UnexpectedEof))
}

fn answer(head: Head, mut body: Acted) -> Response {
    body.length(head.length);
    let mut response = Response::new(Body::wrap(body));
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    if let Some(length) = head.length {
        let length = HeaderValue::from(length);
        response.headers_mut().entry(header::CONTENT_LENGTH).or_insert(length);
    }
    response
}

/// What a transport would say.
fn failed(outcome: Outcome, kind: io::ErrorKind) -> Error {
    Error::new(outcome).with_source(io::Error::from(kind))
}

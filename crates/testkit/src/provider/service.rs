//! Answers attempts in process.

use std::{
    io,
    task::{Context, Poll},
};

use evenkeel::{Body, Error, Request, Response, outcome::Outcome, upstream::ResponseFuture};
use http::{HeaderValue, header};
use tower::Service;

use crate::{
    Provider,
    provider::{AttemptGuard, script_body::ScriptBody},
    reply::{ReplyHead, Script, ScriptStep},
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
            let (attempt, script) =
                provider.begin_attempt(request.uri().path(), request.headers(), request.body());
            play(attempt, script).await
        })
    }
}

/// Plays the steps of a script up to the head. The body plays the rest.
async fn play(mut attempt: AttemptGuard, mut script: Script) -> Result<Response, Error> {
    while let Some(step) = script.next() {
        match step {
            ScriptStep::Wait(wait) => tokio::time::sleep(wait).await,
            ScriptStep::Head(head) => return Ok(answer(*head, ScriptBody::new(attempt, script))),
            ScriptStep::Hang => std::future::pending().await,
            ScriptStep::Refuse => {
                attempt.complete();
                return Err(transport_error(
                    Outcome::Unreachable,
                    io::ErrorKind::ConnectionRefused,
                ));
            }
            ScriptStep::Reset => {
                attempt.complete();
                return Err(transport_error(
                    Outcome::ConnectionLost,
                    io::ErrorKind::ConnectionReset,
                ));
            }
            // Closed: no other step comes before a head.
            _ => break,
        }
    }
    attempt.complete();
    Err(transport_error(Outcome::ConnectionLost, io::ErrorKind::UnexpectedEof))
}

fn answer(head: ReplyHead, mut body: ScriptBody) -> Response {
    body.set_length(head.length);
    let mut response = Response::new(Body::wrap(body));
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    if let Some(length) = head.length {
        let length = HeaderValue::from(length);
        response.headers_mut().entry(header::CONTENT_LENGTH).or_insert(length);
    }
    response
}

/// The error of a transport.
fn transport_error(outcome: Outcome, kind: io::ErrorKind) -> Error {
    Error::new(outcome).with_source(io::Error::from(kind))
}

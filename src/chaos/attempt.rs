//! One attempt with a fault.

use std::io::ErrorKind;

use http::{StatusCode, header};
use tokio::time::sleep;

use super::{Fault, answer, body::DamagedBody, error::InjectedFault, injector::Injection};
use crate::{Body, Error, Request, Response, Upstream, outcome::Outcome, stream::collect};

/// The largest stream that is turned into one body, in bytes: 32 MiB.
const MAX_UNSTREAMED: usize = 32 * 1024 * 1024;

// === impl Injection ===

impl Injection {
    /// Makes the attempt, with its fault.
    pub(super) async fn run<S: Upstream>(
        self,
        mut service: S,
        request: Request,
    ) -> Result<Response, Error> {
        if let Some(error) = self.failed() {
            self.record();
            return Err(error);
        }
        if let Some(mut made) = answer::made(&self.fault, &self.info) {
            self.record();
            answer::mark(made.headers_mut(), self.fault.kind());
            return Ok(made);
        }
        if self.fault == Fault::Hang {
            self.record();
            self.ended().await;
            return service.call(request).await;
        }
        let response = service.call(request).await?;
        match is_answer(&response) {
            true => self.within(response).await,
            false => Ok(response),
        }
    }

    /// The error of an attempt without an answer.
    fn failed(&self) -> Option<Error> {
        let (outcome, kind) = match self.fault {
            Fault::Refused => (Outcome::Unreachable, ErrorKind::ConnectionRefused),
            Fault::Reset => (Outcome::ConnectionLost, ErrorKind::ConnectionReset),
            Fault::Closed => (Outcome::ConnectionLost, ErrorKind::UnexpectedEof),
            _ => return None,
        };
        Some(InjectedFault::new(self.fault.kind()).error(outcome, kind))
    }

    /// Puts the fault into an answer of the provider.
    async fn within(self, mut response: Response) -> Result<Response, Error> {
        let kind = self.fault.kind();
        match self.fault {
            Fault::SlowHead { delay } => {
                self.record();
                tokio::select! { () = sleep(delay) => {} () = self.ended() => {} }
            }
            Fault::Unstreamed => match self.unstreamed(&mut response).await? {
                true => self.record(),
                false => return Ok(response),
            },
            _ => {
                self.record();
                if changes_length(&self.fault) {
                    response.headers_mut().remove(header::CONTENT_LENGTH);
                }
                let (head, body) = response.into_parts();
                let body = DamagedBody::new(self, &head.headers, body);
                response = Response::from_parts(head, Body::wrap(body));
            }
        }
        answer::mark(response.headers_mut(), kind);
        Ok(response)
    }

    /// Turns a stream into one body. Returns whether that was possible.
    async fn unstreamed(&self, response: &mut Response) -> Result<bool, Error> {
        let Some(dialect) = self.info.dialect() else { return Ok(false) };
        let Some(bytes) = collect(response.body_mut(), MAX_UNSTREAMED).await? else {
            return Ok(false);
        };
        let mut copy = Response::default();
        *copy.headers_mut() = response.headers().clone();
        let Some(whole) = dialect.whole_of(copy, &bytes) else { return Ok(false) };
        let (head, body) = whole.into_parts();
        *response.headers_mut() = head.headers;
        *response.body_mut() = body.into();
        Ok(true)
    }
}

/// Whether there is an answer that can have a fault: an error of the provider is passed on as it is.
fn is_answer(response: &Response) -> bool {
    response.status().is_success() && response.status() != StatusCode::NO_CONTENT
}

/// Whether the body is of another length than the head says, and yet ends in order.
fn changes_length(fault: &Fault) -> bool {
    matches!(fault, Fault::InvalidEvent { .. } | Fault::ErrorEvent { .. } | Fault::Comments { .. })
}

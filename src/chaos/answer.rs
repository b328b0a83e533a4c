//! The answers that are made here, in place of a provider's, and the mark of every answer with a fault.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::{Fault, FaultKind};
use crate::{
    Body, Response,
    dialect::{Dialect, FaultReply, RequestInfo, SyntheticReply},
};

/// The header with the name of the fault, on every answer that has one.
pub const CHAOS_HEADER: HeaderName = HeaderName::from_static("evenkeel-chaos");

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
const PAGE: HeaderValue = HeaderValue::from_static("text/html");

/// The answer of a fault that takes the place of the provider's; `None` for other faults.
pub(super) fn made(fault: &Fault, info: &RequestInfo) -> Option<Response> {
    let dialect = info.dialect();
    let failed = |reply: FaultReply| answer(reply.status(dialect), JSON, reply.body(dialect));
    Some(match fault {
        Fault::Status { status } => failed(FaultReply::Status(*status)),
        Fault::RateLimited { wait } => with_wait(failed(FaultReply::RateLimited), *wait),
        Fault::Quota => failed(FaultReply::Quota),
        Fault::ContextLength => failed(FaultReply::ContextLength),
        Fault::Blocked => failed(FaultReply::Blocked),
        Fault::Empty => {
            answer(StatusCode::OK, if info.stream() { EVENTS } else { JSON }, String::new())
        }
        Fault::Page => {
            let page = "<html><body>We will be right back.</body></html>";
            answer(StatusCode::OK, PAGE, page.to_owned())
        }
        Fault::ErrorBody => answer(StatusCode::OK, JSON, error_body(dialect)),
        Fault::NoContent => no_content(info),
        _ => return None,
    })
}

/// An error as the whole body of an answer.
pub(super) fn error_body(dialect: Option<Dialect>) -> String {
    FaultReply::Status(StatusCode::INTERNAL_SERVER_ERROR).body(dialect)
}

/// Marks an answer, so that it cannot be taken for one as the provider sent it.
pub(super) fn mark(headers: &mut HeaderMap, kind: FaultKind) {
    headers.insert(CHAOS_HEADER, HeaderValue::from_static(kind.name()));
}

fn answer(status: StatusCode, kind: HeaderValue, body: String) -> Response {
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response.headers_mut().insert(header::CONTENT_LENGTH, length);
    response
}

fn with_wait(mut response: Response, wait: Option<Duration>) -> Response {
    if let Some(wait) = wait {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// A well-formed answer without content; an empty object where the dialect is not known.
fn no_content(info: &RequestInfo) -> Response {
    match info.dialect() {
        Some(dialect) => dialect.render(SyntheticReply::from(""), info).map(Into::into),
        None => answer(StatusCode::OK, JSON, "{}".to_owned()),
    }
}

//! The check that every request passes.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use tokio::time::sleep;

use super::{Access, origin};
use crate::{
    admin::{page, reply, state::Admin, unix_time::unix_now},
    health::READYZ,
};

/// A header that a page of another origin cannot send without a permission that is never given.
const MARK: HeaderName = HeaderName::from_static("x-evenkeel-admin");
/// The paths without data, besides the files of the page.
const PUBLIC: [&str; 2] = ["/favicon.ico", READYZ];
/// Answers without a token.
const LOGIN: &str = "/api/login";
/// The time to the answer to a wrong token, so that tokens cannot be tried out.
const SLOWED: Duration = Duration::from_secs(1);

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// It is addressed to a name.
    Host,
    /// It changes something, and may be that of another page.
    Origin,
    NoToken,
    WrongToken,
}

const HOST: &str =
    "the host is a name; allowed is localhost or an IP address, or a token in admin.token_env";
const FROM_ELSEWHERE: &str = "the header x-evenkeel-admin is missing, or the request is from a page of another origin; allowed is x-evenkeel-admin: 1";
const UNAUTHORIZED: &str = "the token is missing or wrong; allowed is authorization: Bearer TOKEN, or the cookie of /api/login";

/// Lets a request through, or answers why not.
pub(in crate::admin) async fn check(
    State(admin): State<Arc<Admin>>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let response = match refusal(&admin.access, &request) {
        None => next.run(request).await,
        Some(Refusal::Host) => reply::error(StatusCode::FORBIDDEN, HOST),
        Some(Refusal::Origin) => reply::error(StatusCode::FORBIDDEN, FROM_ELSEWHERE),
        Some(Refusal::NoToken) => unauthorized(),
        Some(Refusal::WrongToken) => slowly_refused().await,
    };
    reply::strict(response)
}

fn refusal(access: &Access, request: &Request) -> Option<Refusal> {
    let (path, headers) = (request.uri().path(), request.headers());
    // With a token the token protects: a page of a name that was rebound has none.
    if !access.needs_token() && path != READYZ && !origin::is_addressed_by_ip(request) {
        return Some(Refusal::Host);
    }
    if access.needs_token() && !PUBLIC.contains(&path) && !page::is_file(path) && path != LOGIN {
        match is_authorized(access, headers) {
            Some(true) => {}
            Some(false) => return Some(Refusal::WrongToken),
            None => return Some(Refusal::NoToken),
        }
    }
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let marked = headers.get(MARK).is_some_and(|value| value == "1");
    let refused = !safe && (!marked || origin::is_from_elsewhere(headers));
    refused.then_some(Refusal::Origin)
}

/// Whether a request has the right token, or the cookie of a login; `None` if it has neither a token nor a cookie.
fn is_authorized(access: &Access, headers: &HeaderMap) -> Option<bool> {
    let bearer = headers.get(header::AUTHORIZATION).map(|value| {
        let text = value.to_str().unwrap_or_default();
        let (scheme, token) = text.split_once(' ').unwrap_or_default();
        scheme.eq_ignore_ascii_case("bearer") && access.is_token(token.trim())
    });
    bearer.or_else(|| access.cookie_is_valid(headers, unix_now()))
}

/// The answer to a request without the token.
fn unauthorized() -> Response<Body> {
    let mut response = reply::error(StatusCode::UNAUTHORIZED, UNAUTHORIZED);
    let scheme = HeaderValue::from_static("Bearer realm=\"evenkeel\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    response
}

/// The answer to a wrong token, after a while.
pub(super) async fn slowly_refused() -> Response<Body> {
    sleep(SLOWED).await;
    unauthorized()
}

//! `POST /api/login`: the cookie of the page in exchange for the token.

use std::{sync::Arc, time::Duration};

use axum::{body::Body, extract::State};
use http::{Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use serde::Deserialize;
use tokio::time::timeout;

use super::check::slowly_refused;
use crate::admin::{reply, state::Admin, unix_time::unix_now};

#[derive(Deserialize)]
struct Login {
    token: String,
}

/// The largest body, in bytes.
const LARGEST: usize = 4 * 1024;
/// The longest time for it.
const LONGEST: Duration = Duration::from_secs(5);

pub(in crate::admin) async fn login(State(admin): State<Arc<Admin>>, body: Body) -> Response<Body> {
    let body = timeout(LONGEST, Limited::new(body, LARGEST).collect()).await;
    let bytes = body.ok().and_then(Result::ok).map(|body| body.to_bytes());
    let login = bytes.and_then(|bytes| serde_json::from_slice::<Login>(&bytes).ok());
    let Some(Login { token }) = login else {
        return reply::error(
            StatusCode::BAD_REQUEST,
            "the body is no login; allowed is {\"token\": \"…\"}",
        );
    };
    if !admin.access.is_token(token.trim()) {
        tracing::warn!("the operator's token was wrong");
        return slowly_refused().await;
    }
    let mut response = reply::empty(StatusCode::NO_CONTENT);
    // Without a token there is nothing to remember.
    if let Some(cookie) = admin.access.cookie(unix_now()) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

//! The paths of the operator's listener.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    middleware::from_fn_with_state,
    routing::{get, post},
};
use http::{Response, StatusCode};

use super::{
    access::{check, login},
    actions, events, page, rehearse, reply, snapshot,
    state::Admin,
};
use crate::health;

pub(super) fn paths(admin: Arc<Admin>) -> Router {
    Router::new()
        .merge(page::files())
        .route("/favicon.ico", get(async || reply::empty(StatusCode::NO_CONTENT)))
        .route(health::READYZ, get(readyz))
        .route(health::HEALTHZ, get(healthz))
        .route("/metrics", get(metrics))
        .route("/api/snapshot", get(snapshot::snapshot))
        .route("/api/events", get(events::events))
        .route("/api/login", post(login))
        .route("/api/routes/{id}/{action}", post(actions::route))
        .route("/api/drain", post(actions::drain))
        .route("/api/rehearse", post(rehearse::rehearse))
        .with_state(admin.clone())
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown)
        .layer(from_fn_with_state(admin, check))
}

async fn readyz(State(admin): State<Arc<Admin>>) -> Response<Body> {
    health::readyz(admin.lifecycle())
}

async fn healthz(State(admin): State<Arc<Admin>>) -> Response<Body> {
    health::health(admin.current())
}

async fn metrics(State(admin): State<Arc<Admin>>) -> Response<Body> {
    // It reads files, and may be long.
    let text = tokio::task::spawn_blocking(move || admin.metrics()).await;
    reply::text("text/plain; version=0.0.4; charset=utf-8", text.unwrap_or_default())
}

async fn wrong_method() -> Response<Body> {
    let words = "the method is not allowed here; see the header allow";
    reply::error(StatusCode::METHOD_NOT_ALLOWED, words)
}

async fn unknown() -> Response<Body> {
    reply::error(StatusCode::NOT_FOUND, "there is nothing at this path")
}

//! `/healthz`: the state of the routes. `/readyz`: whether calls are accepted.

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{body::Body, extract::State};
use evenkeel::{context::Route, limit::LimitSnapshot};
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    reload::{Current, Status},
    routes::{SeenRoute, state_name},
    server::{Lifecycle, Phase},
};

/// The paths that are answered here, for everyone, also from a reserved connection.
pub(crate) const HEALTHZ: &str = "/healthz";
pub(crate) const READYZ: &str = "/readyz";
pub(crate) const PATHS: [&str; 2] = [HEALTHZ, READYZ];

/// The most routes, and the most limits, that are listed.
pub(crate) const MOST: usize = 100;

/// Answers `/healthz`: always 200, whatever the state of the upstreams.
pub(crate) async fn healthz(State(current): State<Current>) -> Response<Body> {
    health(&current)
}

/// The answer of `/healthz`.
pub(crate) fn health(current: &Current) -> Response<Body> {
    json_response(StatusCode::OK, &snapshot(current))
}

/// Answers `/readyz`: 200 while calls are accepted, 503 before and while the process drains. An outage of the upstreams changes
/// nothing: the fallbacks of this process are what callers need then.
pub(crate) fn readyz(lifecycle: &Lifecycle) -> Response<Body> {
    let (status, why) = match lifecycle.phase() {
        Phase::Starting => (StatusCode::SERVICE_UNAVAILABLE, "starting"),
        Phase::Listening => (StatusCode::OK, "listening"),
        Phase::Draining => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
    };
    json_response(status, &json!({"ready": status.is_success(), "phase": why}))
}

fn json_response(status: StatusCode, value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The routes of most interest, and how many there are in each state.
fn snapshot(current: &Current) -> Value {
    let gateway = current.gateway();
    let all = SeenRoute::all(&gateway);
    let mut states: BTreeMap<String, usize> = BTreeMap::new();
    all.iter().for_each(|seen| *states.entry(state_name(seen.breaker.state)).or_default() += 1);
    let mut limits = gateway.chat.limits().list();
    let limits_total = limits.len();
    limits.sort_by_cached_key(|(route, seen)| {
        (std::cmp::Reverse((seen.waiting, seen.in_flight)), route.to_string())
    });
    limits.truncate(MOST);
    let mut health = json!({
        "status": "ok",
        "config": config(&current.status()),
        "routes": sorted(all.iter().take(MOST).map(route).collect()),
        "routes_total": all.len(),
        "states": states,
        "limits": sorted(limits.iter().map(limit).collect()),
        "limits_total": limits_total,
    });
    if let Some(state) = gateway.chaos.state() {
        health["chaos"] = state.into();
    }
    health
}

/// When the configuration was loaded, and whether a later one was refused; the log has the reason.
fn config(status: &Status) -> Value {
    let seconds = |at: SystemTime| at.duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs());
    json!({
        "loaded_at": seconds(status.loaded_at),
        "reloads": status.reloads,
        "refused_at": status.refused.as_ref().map(|refused| seconds(refused.at)),
    })
}

fn route(SeenRoute { route, breaker: seen, .. }: &SeenRoute) -> Value {
    json!({
        "provider": route.provider(),
        "model": route.model(),
        // A fingerprint that is new in every process, or a name; never the credential.
        "credential": route.credential(),
        // Empty for chats.
        "operation": route.operation(),
        "state": state_name(seen.state),
        "share": seen.share,
        "failures_in_a_row": seen.consecutive_failures,
        "opened_by": seen.opened_by.map(|cause| cause.name()),
        // In seconds, while it is open.
        "retry_in": seen.probe_in.map(|wait| wait.as_secs_f64()),
    })
}

/// The queue of a key, and its remaining limits.
fn limit((route, seen): &(Route, LimitSnapshot)) -> Value {
    json!({
        "provider": route.provider(),
        "model": route.model(),
        "credential": route.credential(),
        "waiting": seen.waiting,
        "in_flight": seen.in_flight,
        // The limits, and their remaining amounts; null if they are not known.
        "concurrency": seen.concurrency,
        "requests_a_minute": seen.requests_a_minute,
        "tokens_a_minute": seen.tokens_a_minute,
        "requests": seen.requests,
        "tokens": seen.tokens,
        "closed_for": seen.closed_for.map(|wait| wait.as_secs_f64()),
    })
}

fn sorted(mut routes: Vec<Value>) -> Vec<Value> {
    routes.sort_by_key(|route| format!("{} {}", route["provider"], route["model"]));
    routes
}

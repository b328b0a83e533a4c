//! `/healthz`: the state of each route.

use std::sync::Arc;

use axum::{body::Body, extract::State};
use http::{HeaderValue, Response, header};
use serde_json::{Value, json};

use crate::setup::Gateway;

/// Answers `/healthz`: always 200, whatever the state of the upstreams.
pub(crate) async fn healthz(State(gateway): State<Arc<Gateway>>) -> Response<Body> {
    let mut response = Response::new(Body::from(snapshot(&gateway).to_string()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn snapshot(gateway: &Gateway) -> Value {
    let mut all = json!({
        "status": "ok",
        "routes": sorted(routes(gateway)),
        "limits": sorted(limits(gateway)),
    });
    if let Some(state) = gateway.chaos.state() {
        all["chaos"] = state.into();
    }
    all
}

/// The breakers.
fn routes(gateway: &Gateway) -> Vec<Value> {
    let mut all = gateway.chat.breakers().list();
    all.extend(gateway.other.breakers().list());
    let routes = all.into_iter().map(|(route, seen)| {
        json!({
            "provider": route.provider(),
            "model": route.model(),
            // A fingerprint that is new in every process, or a name; never the credential.
            "credential": route.credential(),
            // Empty for chats.
            "operation": route.operation(),
            "state": seen.state.name().replace('_', "-"),
            "share": seen.share,
            "failures_in_a_row": seen.consecutive_failures,
            "opened_by": seen.opened_by.map(|cause| cause.name()),
            // In seconds, while it is open.
            "retry_in": seen.probe_in.map(|wait| wait.as_secs_f64()),
        })
    });
    routes.collect()
}

/// The queues and the remaining limits.
fn limits(gateway: &Gateway) -> Vec<Value> {
    let limits = gateway.chat.limits().list().into_iter().map(|(route, seen)| {
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
    });
    limits.collect()
}

fn sorted(mut routes: Vec<Value>) -> Vec<Value> {
    routes.sort_by_key(|route| format!("{} {}", route["provider"], route["model"]));
    routes
}

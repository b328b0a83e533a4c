//! What the buttons of the page do.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, State},
};
use http::{Response, StatusCode};

use super::{reply, state::Admin};

/// `POST /api/routes/{id}/{action}`.
pub(super) async fn route(
    State(admin): State<Arc<Admin>>,
    Path((id, action)): Path<(String, String)>,
) -> Response<Body> {
    let Some(seen) = admin.route(&id) else {
        return reply::error(
            StatusCode::NOT_FOUND,
            "there is no route with this id; allowed is one of the snapshot",
        );
    };
    let (client, route) = (seen.owner.client(admin.gateway()), &seen.route);
    let done = match &*action {
        "force-open" => client.breakers().force_open(route),
        "force-closed" => client.breakers().force_closed(route),
        "reset" => {
            client.reset(route);
            true
        }
        _ => {
            let words = "there is no such action; allowed are force-open, force-closed and reset";
            return reply::error(StatusCode::NOT_FOUND, words);
        }
    };
    if !done {
        let words = "the route cannot be forced: it stands for all credentials of a model, or 1024 routes are forced; allowed is a reset";
        return reply::error(StatusCode::CONFLICT, words);
    }
    tracing::warn!(%route, action, "the operator changed a route");
    reply::empty(StatusCode::NO_CONTENT)
}

/// `POST /api/drain`.
pub(super) async fn drain(State(admin): State<Arc<Admin>>) -> Response<Body> {
    tracing::warn!("the operator drains the process");
    admin.lifecycle().request_drain();
    reply::empty(StatusCode::NO_CONTENT)
}

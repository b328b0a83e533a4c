//! `GET /api/snapshot`: everything that the page shows.

mod calls;
mod routes;
mod series;

use std::{net::SocketAddr, sync::Arc};

use axum::{body::Body, extract::State};
use http::Response;
use serde::Serialize;

use self::{calls::ShownCall, routes::ShownRoute, series::ShownSeries};
use super::{
    history::Answering,
    reply,
    state::Admin,
    unix_time::{UnixMillis, unix_now},
};
use crate::{health::MOST, routes::SeenRoute, setup::OrderedFallback};

/// What the page shows, but the time: two snapshots are equal if nothing has changed in between.
#[derive(Debug, Serialize)]
pub(super) struct Snapshot {
    version: &'static str,
    started_at: UnixMillis,
    draining: bool,
    listen: SocketAddr,
    upstream: String,
    order: Vec<OrderedFallback>,
    answering: Option<Answering>,
    /// Those of most interest, and how many there are.
    routes: Vec<ShownRoute>,
    routes_total: usize,
    series: ShownSeries,
    /// The newest first.
    calls: Vec<ShownCall>,
}

// === impl Snapshot ===

impl Snapshot {
    pub(super) fn of(admin: &Admin) -> Self {
        let now = unix_now();
        let (gateway, past) = (admin.gateway(), admin.history.at(now));
        let routes = SeenRoute::all(gateway);
        let shown =
            routes.iter().take(MOST).map(|seen| ShownRoute::new(seen, admin.id_of(seen), now));
        Self {
            version: env!("CARGO_PKG_VERSION"),
            started_at: admin.started,
            draining: admin.is_draining(),
            listen: admin.listen(),
            upstream: gateway.origin.authority().map(ToString::to_string).unwrap_or_default(),
            order: gateway.order.clone(),
            answering: past.answering,
            routes: shown.collect(),
            routes_total: routes.len(),
            series: ShownSeries::new(&past.series),
            calls: past.calls.iter().rev().map(ShownCall::new).collect(),
        }
    }

    /// The text without the time, which is the same while nothing changes.
    pub(super) fn timeless(&self) -> String {
        // Maps with keys that are no texts cannot be written; there are none.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The text with the time.
pub(super) fn timed(timeless: &str) -> String {
    let rest = timeless.strip_prefix('{').unwrap_or(timeless);
    format!("{{\"now\":{},{rest}", unix_now())
}

/// Answers `/api/snapshot`.
pub(super) async fn snapshot(State(admin): State<Arc<Admin>>) -> Response<Body> {
    reply::json_text(timed(&timeless(admin).await))
}

/// The text without the time, made on another thread: there may be thousands of routes.
pub(super) async fn timeless(admin: Arc<Admin>) -> String {
    let made = tokio::task::spawn_blocking(move || admin.snapshot().timeless()).await;
    made.unwrap_or_else(|_| "{}".into())
}

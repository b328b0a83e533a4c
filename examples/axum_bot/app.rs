//! The server: its routes and what they share.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    response::Html,
    routing::{get, post},
};
use evenkeel::Client;
use http::{
    HeaderName, StatusCode,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY},
};
use serde::Deserialize;

use crate::{
    ask,
    embedded::Mode,
    providers::Providers,
    status::{self, ChangeLog},
};

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What all requests share.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

struct Inner {
    client: Client,
    providers: Providers,
    changes: ChangeLog,
}

/// Sets the mode of an embedded provider.
#[derive(Debug, Deserialize)]
struct Outage {
    /// Its address, as in the status.
    provider: String,
    mode: Mode,
}

/// The largest body of a request: the longest conversation fits.
const MAX_BODY: usize = 256 * 1024;

pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/api/ask", post(ask::ask))
        .route("/api/status", get(status::status))
        .route("/api/outage", post(outage))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(app)
}

/// The page, with its style and its script: it loads nothing else.
async fn page() -> ([(HeaderName, &'static str); 2], Html<&'static str>) {
    let policy = "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                  img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = [(CONTENT_SECURITY_POLICY, policy), (CACHE_CONTROL, "no-cache")];
    (headers, Html(include_str!("page.html")))
}

/// Only embedded providers can be made to fail.
async fn outage(State(app): State<App>, Json(outage): Json<Outage>) -> StatusCode {
    let embedded = app.providers().embedded.as_ref();
    match embedded.is_some_and(|embedded| embedded.set_mode(&outage.provider, outage.mode)) {
        true => StatusCode::NO_CONTENT,
        false => StatusCode::NOT_FOUND,
    }
}

// === impl App ===

impl App {
    /// Must be called in a Tokio runtime: a task records the changes of the breakers until the app is dropped.
    pub(crate) fn new(client: Client, providers: Providers) -> Self {
        let changes = ChangeLog::default();
        tokio::spawn(changes.clone().record(client.breakers().watch()));
        Self(Arc::new(Inner { client, providers, changes }))
    }

    pub(crate) fn client(&self) -> &Client {
        &self.0.client
    }

    pub(crate) fn providers(&self) -> &Providers {
        &self.0.providers
    }

    pub(crate) fn changes(&self) -> &ChangeLog {
        &self.0.changes
    }
}

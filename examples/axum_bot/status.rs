//! `GET /api/status`: whether questions can be answered, the routes, and what has changed. The page polls it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{Json, extract::State};
use evenkeel::{
    Availability,
    breaker::{BreakerSnapshot, Change, Changes, CircuitState},
    context::Route,
};
use serde::Serialize;
use tokio::time::Instant;

use crate::{
    app::App,
    ask::{Question, Turn},
    assistant,
    embedded::Mode,
    language::Language,
};

/// The state of the bot.
#[derive(Debug, Serialize)]
pub(crate) struct Status {
    /// `clear`, `degraded` or `unavailable`: what a question can expect from the models.
    availability: &'static str,
    /// Whether the providers are embedded, so that the page may make them fail.
    embedded: bool,
    routes: Vec<RouteStatus>,
    /// The last changes of the breakers, the latest first.
    changes: Vec<ChangeStatus>,
}

#[derive(Debug, Serialize)]
struct RouteStatus {
    model: String,
    provider: String,
    /// The state of its breaker: `closed`, `open`, `half_open`, `recovering`, …
    state: &'static str,
    detail: String,
    /// What an embedded provider does.
    mode: Option<Mode>,
}

#[derive(Debug, Serialize)]
struct ChangeStatus {
    seconds_ago: u64,
    route: String,
    text: String,
}

#[derive(Debug)]
struct RecordedChange {
    at: Instant,
    change: Change,
}

/// The last changes of the breakers. Clones share one list.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChangeLog(Arc<Mutex<VecDeque<RecordedChange>>>);

pub(crate) async fn status(State(app): State<App>) -> Json<Status> {
    // The routes of any question are the same.
    let question = Question { turns: vec![Turn::Visitor("?".into())] };
    let request = assistant::request(&question, Language::default());
    let availability = match app.client().availability_of(&request) {
        Availability::Clear => "clear",
        Availability::Degraded { .. } => "degraded",
        _ => "unavailable",
    };
    let routes =
        app.client().routes_of(&request).iter().map(|route| route_status(&app, route)).collect();
    let embedded = app.providers().embedded.is_some();
    Json(Status { availability, embedded, routes, changes: app.changes().latest() })
}

fn route_status(app: &App, route: &Route) -> RouteStatus {
    // A route without calls has no breaker yet.
    let breakers = app.client().breakers().list();
    let snapshot =
        breakers.into_iter().find(|(known, _)| known == route).map(|(_, snapshot)| snapshot);
    let embedded = app.providers().embedded.as_ref();
    RouteStatus {
        model: route.model().into(),
        provider: route.provider().into(),
        state: snapshot.map_or(CircuitState::Closed, |snapshot| snapshot.state).name(),
        detail: detail(snapshot, app.client().availability(route)),
        mode: embedded.and_then(|embedded| embedded.mode(route.provider())),
    }
}

/// The state of a route in words.
fn detail(snapshot: Option<BreakerSnapshot>, availability: Availability) -> String {
    let state = snapshot.map_or(CircuitState::Closed, |snapshot| snapshot.state);
    match (state, snapshot) {
        (CircuitState::Open, Some(BreakerSnapshot { probe_in: Some(wait), .. })) => {
            format!("{}; the next probe is due in {}", state.description(), seconds(wait))
        }
        (CircuitState::Recovering, Some(BreakerSnapshot { share, .. })) => {
            format!("lets {:.0} % of the calls through, and more every second", share * 100.0)
        }
        (
            CircuitState::Closed,
            Some(BreakerSnapshot { consecutive_failures: failures @ 1.., .. }),
        ) => {
            format!(
                "{}; {failures} {} so far",
                state.description(),
                if failures == 1 { "failure" } else { "failures in a row" }
            )
        }
        (CircuitState::Closed, _) => match availability {
            Availability::Unavailable { back_in: Some(wait), .. } => {
                format!("the provider asked for a pause of {}", seconds(wait))
            }
            _ => state.description().into(),
        },
        _ => state.description().into(),
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// A change of a breaker: from which state to which, for how long and why.
fn describe(Change { from, to, lasts, reason, .. }: &Change) -> String {
    let lasts = lasts.map_or(String::new(), |lasts| format!(" for {}", seconds(lasts)));
    let name = |state: &CircuitState| state.name().replace('_', "-");
    format!("{} → {}{lasts}, because {}", name(from), name(to), reason.description())
}

// === impl ChangeLog ===

impl ChangeLog {
    /// The number of changes that are kept.
    const KEPT: usize = 12;

    /// Records changes until the breakers are dropped.
    pub(crate) async fn record(self, mut changes: Changes) {
        while let Some(change) = changes.next().await {
            let mut kept = self.lock();
            kept.truncate(Self::KEPT - 1);
            kept.push_front(RecordedChange { at: Instant::now(), change });
        }
    }

    fn latest(&self) -> Vec<ChangeStatus> {
        self.lock().iter().map(RecordedChange::status).collect()
    }

    /// No code panics under the lock, and the list stays usable if one does.
    fn lock(&self) -> MutexGuard<'_, VecDeque<RecordedChange>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl RecordedChange ===

impl RecordedChange {
    fn status(&self) -> ChangeStatus {
        let route = &self.change.route;
        ChangeStatus {
            seconds_ago: self.at.elapsed().as_secs(),
            route: format!("{} at {}", route.model(), route.provider()),
            text: describe(&self.change),
        }
    }
}

//! The progress bar: rate, time left and the state of the routes. It is shown on a terminal only.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use evenkeel::{
    breaker::CircuitState,
    telemetry::{Event, EventKind, Observer},
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The progress bar. Clones share one bar.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    bar: ProgressBar,
    /// The breaker states of the routes whose breaker is not closed, by provider and model.
    routes: Arc<Mutex<BTreeMap<String, &'static str>>>,
}

// === impl Bar ===

impl Bar {
    /// A bar for `total` prompts, of which an earlier run has answered `answered`.
    pub(crate) fn new(total: usize, answered: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
        let style = "{wide_bar:.dim} {pos}/{len} {per_sec}, {eta} left {msg}";
        bar.set_style(
            ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        // The answers of an earlier run must not count towards the rate of this run.
        bar.set_position(answered as u64);
        bar.reset_eta();
        bar.enable_steady_tick(Duration::from_millis(250));
        let this = Self { bar, routes: Arc::default() };
        this.show_routes();
        this
    }

    /// Counts one more prompt as done.
    pub(crate) fn advance(&self) {
        self.bar.inc(1);
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn show_routes(&self) {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let states: Vec<_> =
            routes.iter().map(|(route, state)| format!("{route} {state}")).collect();
        self.bar.set_message(if states.is_empty() {
            "all routes healthy".into()
        } else {
            states.join(", ")
        });
    }
}

impl Observer for Bar {
    fn observe(&self, event: &Event) {
        let EventKind::BreakerChanged { route, to, .. } = &event.kind else { return };
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("{}/{}", route.provider(), route.model());
        match *to {
            CircuitState::Closed => drop(routes.remove(&name)),
            state => drop(routes.insert(name, state.name())),
        }
        drop(routes);
        self.show_routes();
    }
}

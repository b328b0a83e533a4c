//! What is shown while it runs, on a terminal only: rate, time left, and what the routes are doing.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use evenkeel::telemetry::{Event, Observer};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The bar. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    bar: ProgressBar,
    /// Routes that are not well, by what they are.
    routes: Arc<Mutex<BTreeMap<String, &'static str>>>,
}

// === impl Bar ===

impl Bar {
    pub(crate) fn new(all: usize, done: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(all as u64), ProgressDrawTarget::stderr());
        let style = "{wide_bar:.dim} {pos}/{len} {per_sec}, {eta} left {msg}";
        bar.set_style(
            ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        // What an earlier run has done is not this one's speed.
        bar.set_position(done as u64);
        bar.reset_eta();
        bar.enable_steady_tick(Duration::from_millis(250));
        let this = Self { bar, routes: Arc::default() };
        this.show();
        this
    }

    pub(crate) fn step(&self) {
        self.bar.inc(1);
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn show(&self) {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<_> = routes.iter().map(|(route, state)| format!("{route} {state}")).collect();
        self.bar.set_message(if all.is_empty() {
            "all routes well".into()
        } else {
            all.join(", ")
        });
    }
}

impl Observer for Bar {
    fn observe(&self, event: &Event) {
        let Event::BreakerChanged { route, to, .. } = event else { return };
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("{}/{}", route.provider(), route.model());
        match *to {
            "closed" => drop(routes.remove(&name)),
            state => drop(routes.insert(name, state)),
        }
        drop(routes);
        self.show();
    }
}

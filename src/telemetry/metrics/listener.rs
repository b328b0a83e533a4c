//! The listener that turns events into metrics.

use std::{fmt, sync::Arc};

use metrics::Recorder;

use super::{
    instruments::Instruments,
    label_names::{self, STATES},
    recorder::Installed,
    route_table::{RouteTable, Shown},
    series::SharedRecorder,
};
use crate::{
    circuit_state::CircuitState,
    context::Route,
    dialect::Usage,
    outcome::Outcome,
    telemetry::{CallReport, ConfiguredFallback, Event, EventKind, Observer},
};

/// Turns events into metrics of the [`metrics`](https://docs.rs/metrics) facade. See [the module](super).
///
/// A handle: clones share their series and the values of their labels. Give clones of one to all clients of a program.
#[derive(Clone)]
pub struct Metrics(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) instruments: Instruments,
    pub(super) routes: RouteTable,
    /// The value of `served_by` for a call without an answer.
    pub(super) nobody: Arc<str>,
}

/// The end of an attempt.
struct AttemptEnd<'a> {
    route: &'a Route,
    outcome: Outcome,
    hedge: bool,
}

// === impl Metrics ===

impl Metrics {
    /// The maximum number of different values of the labels `route` and `served_by`; further ones are `other`.
    pub const MAX_ROUTES: usize = 256;

    /// Creates a listener that records to the recorder of the process. Install the recorder first: a series that is registered
    /// without one records nothing, and stays so.
    pub fn new() -> Self {
        Self::with_recorder(Installed)
    }

    /// Creates a listener that records to that recorder.
    pub fn with_recorder(recorder: impl Recorder + Send + Sync + 'static) -> Self {
        let recorder: SharedRecorder = Arc::new(recorder);
        let instruments = Instruments::new(&recorder);
        let routes = RouteTable::new(Self::MAX_ROUTES);
        Self(Arc::new(Inner { instruments, routes, nobody: "none".into() }))
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for Metrics {
    fn observe(&self, event: &Event) {
        self.0.observe(&event.kind);
    }

    fn configured(&self, fallbacks: &[ConfiguredFallback]) {
        self.0.seed(fallbacks);
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

// === impl Inner ===

impl Inner {
    fn observe(&self, event: &EventKind) {
        let Self { instruments, routes, .. } = self;
        match event {
            EventKind::AttemptStarted { route, name, equal, .. } => {
                routes.learn(route, name.as_deref().unwrap_or("primary"), *equal);
            }
            EventKind::LimitQueued { priority, .. } => {
                instruments.limit_queued.at([label_names::priority(*priority)]).increment(1.0);
            }
            EventKind::LimitWaited { priority, waited, .. } => {
                let priority = label_names::priority(*priority);
                instruments.limit_queued.at([priority]).decrement(1.0);
                instruments.limit_waited.at([priority]).record(*waited);
            }
            EventKind::LimitClosed { route, .. } => {
                instruments.limit_closed.at(&routes.label(route)).increment(1);
            }
            EventKind::BreakerChanged { route, to, reason, number, .. } => {
                if matches!(to, CircuitState::Open | CircuitState::ForcedOpen) {
                    let values = (&routes.label(route), reason.name());
                    instruments.breaker_openings.at(values).increment(1);
                }
                if let Some(label) = routes.changed(route, *to, *number) {
                    self.show(&label);
                }
            }
            EventKind::AttemptEnded {
                route,
                verdict,
                took,
                hedge,
                first_content,
                wasted,
                budget_left,
                ..
            } => {
                let end = AttemptEnd { route, outcome: verdict.outcome(), hedge: *hedge };
                let label = self.attempt_ended(&end);
                if !matches!(end.outcome, Outcome::NotSent { .. }) {
                    let values = (&label, end.outcome.name());
                    instruments.attempt_duration.at(values).record(*took);
                }
                if let Some(first) = first_content {
                    instruments.first_content.at(&label).record(*first);
                }
                if let Some(usage) = wasted {
                    self.add_tokens(&label, *usage, Some(if *hedge { "hedge" } else { "retry" }));
                }
                if let Some(label) = routes.spent(route, *budget_left) {
                    self.show(&label);
                }
            }
            EventKind::CallClosed { report } => self.call_closed(report),
            _ => {}
        }
    }

    /// Counts an attempt. Returns the label of its route.
    fn attempt_ended(&self, end: &AttemptEnd<'_>) -> Arc<str> {
        let AttemptEnd { route, outcome, hedge } = end;
        let label = self.routes.label(route);
        let values = (&label, outcome.name(), label_names::yes_or_no(*hedge));
        self.instruments.attempts.at(values).increment(1);
        if let Outcome::Rejected { why } = outcome {
            let values = (&label, label_names::rejection(*why));
            self.instruments.rejections.at(values).increment(1);
        }
        label
    }

    fn call_closed(&self, report: &CallReport) {
        self.instruments.gen_ai.call_closed(report);
        let outcome = report.outcome;
        let served_by = match &report.served_by {
            Some(name) => self.routes.named(name),
            None => self.nobody.clone(),
        };
        let values = (&served_by, outcome.name());
        self.instruments.calls.at(values).increment(1);
        self.instruments.call_duration.at(values).record(report.took);
        if let Some(degraded) = report.degraded.filter(|_| outcome.is_success()) {
            self.instruments.degraded.at([degraded.name()]).increment(1);
        }
        if let (Some(route), Some(usage)) = (&report.route, report.answer.usage) {
            let wasted = match outcome {
                Outcome::Success | Outcome::Blocked => None,
                Outcome::Cancelled => Some("cancelled"),
                _ => Some("cut"),
            };
            self.add_tokens(&self.routes.label(route), usage, wasted);
        }
    }

    fn add_tokens(&self, route: &Arc<str>, usage: Usage, wasted: Option<&'static str>) {
        let Usage { input, output, .. } = usage;
        self.instruments.tokens.at((route, "input")).increment(input);
        self.instruments.tokens.at((route, "output")).increment(output);
        if let Some(cause) = wasted {
            let wasted = self.instruments.wasted_tokens.at((route, cause));
            wasted.increment(input.saturating_add(output));
        }
    }

    /// Sets the gauges of a label.
    pub(super) fn show(&self, label: &Arc<str>) {
        self.routes.show(label, |Shown { state, budget, .. }| {
            for each in STATES {
                let value = f64::from(u8::from(each == state));
                self.instruments.breaker_state.at((label, each.name())).set(value);
            }
            self.instruments.budget_left.at(label).set(budget);
        });
    }
}

//! The listener that turns events into metrics.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use metrics::Recorder;

use super::{
    instruments::Instruments,
    label_names::{self, STATES},
    recorder::Installed,
    route_table::{RouteTable, Scope, Shown},
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
/// Clones share their series and the values of their labels. Give each client of a program a clone of its own: breakers and budgets
/// are those of a client, and a clone that is dropped takes its own out of the gauges.
pub struct Metrics {
    inner: Arc<Inner>,
    scope: Scope,
}

pub(super) struct Inner {
    pub(super) instruments: Instruments,
    pub(super) routes: RouteTable,
    /// The value of `served_by` for a call without an answer.
    pub(super) nobody: Arc<str>,
    /// The number of clones so far.
    clones: AtomicU64,
}

/// The listener of one client.
struct Listener<'a> {
    inner: &'a Inner,
    scope: Scope,
}

/// The end of an attempt.
struct AttemptEnd {
    label: Arc<str>,
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
        let (nobody, clones) = ("none".into(), AtomicU64::new(0));
        let inner = Arc::new(Inner { instruments, routes, nobody, clones });
        Self { inner, scope: Scope(0) }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for Metrics {
    fn clone(&self) -> Self {
        let inner = self.inner.clone();
        // Relaxed: only the number itself matters.
        let scope = Scope(inner.clones.fetch_add(1, Ordering::Relaxed) + 1);
        Self { inner, scope }
    }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        let labels = self.inner.routes.forget(self.scope);
        // The recorder is code of the user, and a panic that escapes from a drop may abort the process.
        let shown = catch_unwind(AssertUnwindSafe(|| {
            labels.iter().for_each(|label| self.inner.show(label));
        }));
        drop(shown);
    }
}

impl Observer for Metrics {
    fn observe(&self, event: &Event) {
        Listener { inner: &self.inner, scope: self.scope }.observe(&event.kind);
    }

    fn configured(&self, fallbacks: &[ConfiguredFallback]) {
        self.inner.seed(fallbacks);
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

// === impl Listener ===

impl Listener<'_> {
    fn observe(&self, event: &EventKind) {
        let Inner { instruments, routes, .. } = self.inner;
        match event {
            EventKind::AttemptStarted { route, name, equal, .. } => {
                routes.learn(&self.key(route), name.as_deref().unwrap_or("primary"), *equal);
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
                instruments.limit_closed.at(&self.label(route)).increment(1);
            }
            EventKind::BreakerChanged { route, to, reason, number, .. } => {
                if matches!(to, CircuitState::Open | CircuitState::ForcedOpen) {
                    let values = (&self.label(route), reason.name());
                    instruments.breaker_openings.at(values).increment(1);
                }
                if let Some(label) = routes.changed(&self.key(route), *to, *number) {
                    self.inner.show(&label);
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
                let (label, outcome) = (self.label(route), verdict.outcome());
                let end = AttemptEnd { label, outcome, hedge: *hedge };
                self.inner.attempt_ended(&end, *took);
                if let Some(first) = first_content {
                    instruments.first_content.at(&end.label).record(*first);
                }
                if let Some(usage) = wasted {
                    let cause = if *hedge { "hedge" } else { "retry" };
                    self.inner.add_tokens(&end.label, *usage, Some(cause));
                }
                if let Some(label) = routes.spent(&self.key(route), *budget_left) {
                    self.inner.show(&label);
                }
            }
            EventKind::FaultInjected { fault, .. } => {
                instruments.chaos_injected.at([fault.name()]).increment(1);
            }
            EventKind::CallClosed { report } => self.call_closed(report),
            _ => {}
        }
    }

    fn call_closed(&self, report: &CallReport) {
        let instruments = &self.inner.instruments;
        instruments.gen_ai.call_closed(report);
        let outcome = report.outcome;
        let served_by = match &report.served_by {
            Some(name) => self.inner.routes.named(name),
            None => self.inner.nobody.clone(),
        };
        let values = (&served_by, outcome.name());
        instruments.calls.at(values).increment(1);
        instruments.call_duration.at(values).record(report.took);
        if let Some(degraded) = report.degraded.filter(|_| outcome.is_success()) {
            instruments.degraded.at([degraded.name()]).increment(1);
        }
        if let (Some(route), Some(usage)) = (&report.route, report.answer.usage) {
            let wasted = match outcome {
                Outcome::Success | Outcome::Blocked => None,
                Outcome::Cancelled => Some("cancelled"),
                _ => Some("cut"),
            };
            self.inner.add_tokens(&self.label(route), usage, wasted);
        }
    }

    fn key(&self, route: &Route) -> (Scope, Route) {
        (self.scope, route.clone())
    }

    fn label(&self, route: &Route) -> Arc<str> {
        self.inner.routes.label(&self.key(route))
    }
}

// === impl Inner ===

impl Inner {
    fn attempt_ended(&self, end: &AttemptEnd, took: Duration) {
        let AttemptEnd { label, outcome, hedge } = end;
        let values = (label, outcome.name(), label_names::yes_or_no(*hedge));
        self.instruments.attempts.at(values).increment(1);
        if let Outcome::Rejected { why } = outcome {
            let values = (label, label_names::rejection(*why));
            self.instruments.rejections.at(values).increment(1);
        }
        if !matches!(outcome, Outcome::NotSent { .. }) {
            self.instruments.attempt_duration.at((label, outcome.name())).record(took);
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

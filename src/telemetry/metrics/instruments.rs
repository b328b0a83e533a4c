//! The series of every metric.

use metrics::{Counter, Gauge, Histogram};

use super::{
    catalog::{self, CATALOG, MetricKind},
    gen_ai::GenAi,
    series::{Series, SharedRecorder},
};

/// The series of every metric.
pub(super) struct Instruments {
    pub(super) calls: Series<Counter>,
    pub(super) call_duration: Series<Histogram>,
    pub(super) degraded: Series<Counter>,
    pub(super) attempts: Series<Counter>,
    pub(super) attempt_duration: Series<Histogram>,
    pub(super) first_content: Series<Histogram>,
    pub(super) rejections: Series<Counter>,
    pub(super) breaker_state: Series<Gauge>,
    pub(super) breaker_openings: Series<Counter>,
    pub(super) budget_left: Series<Gauge>,
    pub(super) limit_queued: Series<Gauge>,
    pub(super) limit_waited: Series<Histogram>,
    pub(super) limit_closed: Series<Counter>,
    pub(super) tokens: Series<Counter>,
    pub(super) wasted_tokens: Series<Counter>,
    pub(super) chaos_injected: Series<Counter>,
    pub(super) gen_ai: GenAi,
}

// === impl Instruments ===

impl Instruments {
    /// Describes every metric, and creates its series.
    pub(super) fn new(recorder: &SharedRecorder) -> Self {
        describe(recorder);
        Self {
            calls: Series::new(&catalog::CALLS, recorder),
            call_duration: Series::new(&catalog::CALL_DURATION, recorder),
            degraded: Series::new(&catalog::DEGRADED, recorder),
            attempts: Series::new(&catalog::ATTEMPTS, recorder),
            attempt_duration: Series::new(&catalog::ATTEMPT_DURATION, recorder),
            first_content: Series::new(&catalog::FIRST_CONTENT, recorder),
            rejections: Series::new(&catalog::REJECTIONS, recorder),
            breaker_state: Series::new(&catalog::BREAKER_STATE, recorder),
            breaker_openings: Series::new(&catalog::BREAKER_OPENINGS, recorder),
            budget_left: Series::new(&catalog::BUDGET_LEFT, recorder),
            limit_queued: Series::new(&catalog::LIMIT_QUEUED, recorder),
            limit_waited: Series::new(&catalog::LIMIT_WAITED, recorder),
            limit_closed: Series::new(&catalog::LIMIT_CLOSED, recorder),
            tokens: Series::new(&catalog::TOKENS, recorder),
            wasted_tokens: Series::new(&catalog::WASTED_TOKENS, recorder),
            chaos_injected: Series::new(&catalog::CHAOS_INJECTED, recorder),
            gen_ai: GenAi::new(recorder),
        }
    }
}

fn describe(recorder: &SharedRecorder) {
    for metric in CATALOG {
        let (name, unit, help) = (metric.name.into(), Some(metric.unit), metric.help.into());
        match metric.kind {
            MetricKind::Counter => recorder.describe_counter(name, unit, help),
            MetricKind::Gauge => recorder.describe_gauge(name, unit, help),
            MetricKind::Histogram => recorder.describe_histogram(name, unit, help),
        }
    }
}

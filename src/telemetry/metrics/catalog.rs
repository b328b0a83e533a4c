//! The metrics: names, units, labels and meaning.

use metrics::Unit;

/// A metric that [`Metrics`](super::Metrics) emits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetricInfo {
    /// The name, with dots, as in OpenTelemetry.
    pub name: &'static str,
    /// The type.
    pub kind: MetricKind,
    /// The unit.
    pub unit: Unit,
    /// The names of the labels, in order.
    pub labels: &'static [&'static str],
    /// The meaning.
    pub help: &'static str,
}

/// The type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// A count that only grows.
    Counter,
    /// A value that rises and falls.
    Gauge,
    /// A distribution.
    Histogram,
}

macro_rules! catalog {
    ($($constant:ident: $kind:ident, $unit:ident, $name:literal, [$($label:literal),*], $help:literal;)*) => {
        $(pub(super) const $constant: MetricInfo = MetricInfo {
            name: $name,
            kind: MetricKind::$kind,
            unit: Unit::$unit,
            labels: &[$($label),*],
            help: $help,
        };)*

        /// Every metric that [`Metrics`](super::Metrics) emits.
        pub const CATALOG: &[MetricInfo] = &[$($constant),*];
    };
}

catalog! {
    CALLS: Counter, Count, "evenkeel.calls", ["served_by", "outcome"],
        "Calls that are over, with the outcome that their callers saw.";
    CALL_DURATION: Histogram, Seconds, "evenkeel.call.duration", ["served_by", "outcome"],
        "Time from the call to the end of its answer.";
    DEGRADED: Counter, Count, "evenkeel.answers.degraded", ["kind"],
        "Answers that are less than what the caller asked for.";
    ATTEMPTS: Counter, Count, "evenkeel.attempts", ["route", "outcome", "hedge"],
        "Attempts that ended, also those that a breaker or a limit refused.";
    ATTEMPT_DURATION: Histogram, Seconds, "evenkeel.attempt.duration", ["route", "outcome"],
        "Time from the start of an attempt to its commit point.";
    FIRST_CONTENT: Histogram, Seconds, "evenkeel.first_content", ["route"],
        "Time from the start of an attempt to the first content of its stream.";
    REJECTIONS: Counter, Count, "evenkeel.rejections", ["route", "cause"],
        "Attempts that the provider rejected, by what it rejected.";
    BREAKER_STATE: Gauge, Count, "evenkeel.breaker.state", ["route", "state"],
        "1 for the state of the route's breaker, 0 for the others; of several breakers, the worst state.";
    BREAKER_OPENINGS: Counter, Count, "evenkeel.breaker.openings", ["route", "cause"],
        "Breakers that opened, by the reason.";
    BUDGET_LEFT: Gauge, Count, "evenkeel.budget.left", ["route"],
        "Share of the route's retry budget that is left, from 0 to 1; of several budgets, the lowest.";
    LIMIT_QUEUED: Gauge, Count, "evenkeel.limit.queued", ["priority"],
        "Attempts that wait in the queue of a limit.";
    LIMIT_WAITED: Histogram, Seconds, "evenkeel.limit.waited", ["priority"],
        "Time that attempts were in the queue of a limit.";
    LIMIT_CLOSED: Counter, Count, "evenkeel.limit.closed", ["route"],
        "Times that a provider's rate limit closed the route.";
    TOKENS: Counter, Count, "evenkeel.tokens", ["route", "direction"],
        "Tokens that providers reported, with those of failed attempts.";
    WASTED_TOKENS: Counter, Count, "evenkeel.wasted_tokens", ["route", "cause"],
        "Tokens that providers reported for answers that no caller got in full.";
    CHAOS_INJECTED: Counter, Count, "evenkeel.chaos.injected", ["fault"],
        "Faults that were injected on purpose.";
    GEN_AI_DURATION: Histogram, Seconds, "gen_ai.client.operation.duration",
        ["gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model", "error.type"],
        "Time from the call to the end of its answer.";
    GEN_AI_FIRST_CHUNK: Histogram, Seconds, "gen_ai.client.operation.time_to_first_chunk",
        ["gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model", "error.type"],
        "Time from the call to the first chunk of a stream.";
    GEN_AI_TOKENS: Histogram, Count, "gen_ai.client.token.usage",
        ["gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model", "gen_ai.token.type"],
        "Tokens of a call.";
}

// === impl MetricInfo ===

impl MetricInfo {
    /// The name in Prometheus, as `metrics-exporter-prometheus` writes it with its recommended naming: dots become underscores, the
    /// unit is appended, and `total` is appended to a counter. A histogram has `_bucket`, `_sum` and `_count` after it.
    pub fn prometheus_name(&self) -> String {
        let mut name = self.name.replace('.', "_");
        if self.unit == Unit::Seconds {
            name.push_str("_seconds");
        }
        if self.kind == MetricKind::Counter {
            name.push_str("_total");
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_in_the_table_of_the_page() {
        let page = include_str!("mod.rs");
        for metric in CATALOG {
            let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
            let kind = format!("{:?}", metric.kind).to_lowercase();
            let row = format!("//! | `{}` | {kind}", metric.name);
            let line = page.lines().find(|line| line.starts_with(&row));
            let line = line.unwrap_or_else(|| panic!("{} has no row", metric.name));
            assert!(line.contains(&labels.join(", ")), "{line}");
            assert_eq!(line.contains(", s |"), metric.unit == Unit::Seconds, "{line}");
        }
    }

    #[test]
    fn names_are_unique_and_plain() {
        let mut names: Vec<_> = CATALOG.iter().map(|metric| metric.name).collect();
        assert!(
            names
                .iter()
                .all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b"._".contains(&b)))
        );
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CATALOG.len());
    }
}

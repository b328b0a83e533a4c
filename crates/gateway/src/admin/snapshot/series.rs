//! The series as they are shown.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::admin::{
    history::{STEP, Series},
    unix_time::UnixMillis,
};

/// Numbers of each step, the oldest first.
#[derive(Debug, Serialize)]
pub(super) struct ShownSeries {
    step_s: u64,
    from: UnixMillis,
    calls: Vec<u32>,
    attempts: Vec<u32>,
    errors_callers: Vec<u32>,
    errors_upstream: Vec<u32>,
    degraded: Vec<u32>,
    /// Calls by outcome.
    outcomes: BTreeMap<&'static str, Vec<u32>>,
    first_content_ms: Percentiles,
}

/// Percentiles of each step; `None` without a stream in it.
#[derive(Debug, Serialize)]
struct Percentiles {
    p50: Vec<Option<u64>>,
    p95: Vec<Option<u64>>,
}

// === impl ShownSeries ===

impl ShownSeries {
    pub(super) fn new(series: &Series) -> Self {
        let outcomes = series.outcomes().into_iter().map(|name| {
            let count = |(known, count): &(&str, u32)| (*known == name).then_some(*count);
            let of = series.numbers(0, |it| it.outcomes.iter().find_map(count).unwrap_or(0));
            (name, of)
        });
        let percentile = |share| series.numbers(None, |it| it.first_content.percentile(share));
        Self {
            step_s: STEP / 1000,
            from: series.from(),
            calls: series.numbers(0, |it| it.calls),
            attempts: series.numbers(0, |it| it.attempts),
            errors_callers: series.numbers(0, |it| it.errors_callers),
            errors_upstream: series.numbers(0, |it| it.errors_upstream),
            degraded: series.numbers(0, |it| it.degraded),
            outcomes: outcomes.collect(),
            first_content_ms: Percentiles { p50: percentile(0.5), p95: percentile(0.95) },
        }
    }
}

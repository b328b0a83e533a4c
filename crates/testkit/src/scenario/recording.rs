//! Computes the metrics of a client from its records.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use crate::{
    incident::IncidentPhase,
    provider::ReceivedAttempt,
    scenario::{
        CallResult, Harness, Metrics, Scenario, Series, ToolMetrics,
        call::{CallRecord, MODEL, has_tools},
    },
};

/// The calls and attempts of one client in a scenario.
pub(super) struct Recording<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) harness: &'a Harness,
    pub(super) start: Instant,
    pub(super) arrivals: &'a [Duration],
    pub(super) records: &'a [CallRecord],
}

/// The time after which a call is late.
const LATE_AFTER: Duration = Duration::from_secs(30);
/// Timers and tasks run a little late, in real time at every scale.
const TIMER_TOLERANCE: Duration = Duration::from_millis(50);
/// The primary has recovered when it answers this share of the calls for this time.
const RECOVERY_TIME: Duration = Duration::from_secs(10);
const RECOVERY_SHARE: f64 = 0.95;
/// The number of reasons that are kept.
const MAX_REASONS: usize = 32;

// === impl Recording ===

impl Recording<'_> {
    pub(super) fn metrics(&self, name: &str) -> Metrics {
        let attempts = self.harness.primary().attempts();
        let count =
            |kind| self.records.iter().filter(|record| record.result == kind).count() as u64;
        let down = |time: Duration| self.scenario.incident.primary_at(time).is_down();
        let times = attempts.iter().map(|attempt| self.time(attempt));
        Metrics {
            name: name.into(),
            calls: self.records.len() as u64,
            primary: count(CallResult::Primary),
            secondary: count(CallResult::Secondary),
            stored: count(CallResult::Stored),
            canned: count(CallResult::Canned),
            error: count(CallResult::Error),
            late: self.records.iter().filter(|record| self.late(record)).count() as u64,
            hung: count(CallResult::Hung),
            attempts_primary: self.harness.primary().count(),
            calls_down: self.arrivals.iter().filter(|at| down(**at)).count() as u64,
            attempts_primary_down: times.filter(|at| down(*at)).count() as u64,
            detect_s: self.detect(&attempts),
            recover_s: self.recover(),
            first_event_p50_s: self.percentile(0.50),
            first_event_p99_s: self.percentile(0.99),
            tools: self.tools(&attempts),
            fallbacks: self.fallbacks(),
            series: self.series(&attempts),
            reasons: self.reasons(),
        }
    }

    /// The time of an attempt, in the time of the incident.
    fn time(&self, attempt: &ReceivedAttempt) -> Duration {
        attempt.at.saturating_duration_since(self.start).div_f64(self.scenario.scale)
    }

    fn late(&self, record: &CallRecord) -> bool {
        let limit = LATE_AFTER + TIMER_TOLERANCE.div_f64(self.scenario.scale);
        record.result != CallResult::Hung && record.latency > limit
    }

    /// For each outage, the time to detection.
    fn detect(&self, attempts: &[ReceivedAttempt]) -> Vec<Option<f64>> {
        let mut sent = vec![false; self.arrivals.len()];
        for call in attempts.iter().filter_map(|attempt| attempt.call) {
            if let Some(sent) = sent.get_mut(call as usize) {
                *sent = true;
            }
        }
        let phases = self.scenario.incident.primary().iter().filter(|phase| phase.state.is_down());
        let first = |phase: &IncidentPhase| {
            let mut calls = self.arrivals.iter().zip(&sent);
            let not_sent = calls.find(|(at, sent)| phase.contains(**at) && !**sent);
            not_sent.map(|(at, _)| seconds(*at - phase.from))
        };
        phases.map(first).collect()
    }

    /// For each healthy phase after an outage, the time to recovery.
    fn recover(&self) -> Vec<Option<f64>> {
        let mut was_down = false;
        let mut recovered = Vec::new();
        for phase in self.scenario.incident.primary() {
            if phase.state.is_healthy() && std::mem::take(&mut was_down) {
                recovered.push(self.recovery(phase));
            }
            was_down |= phase.state.is_down();
        }
        recovered
    }

    /// The time from the start of a phase to its first ten seconds in which the primary has recovered.
    fn recovery(&self, phase: &IncidentPhase) -> Option<f64> {
        let calls = self.arrivals.iter().zip(self.records);
        let calls = calls.skip_while(|(at, _)| **at < phase.from);
        let calls: Vec<_> = calls.take_while(|(at, _)| **at < phase.to).collect();
        let starts = std::iter::once(phase.from).chain(calls.iter().map(|(at, _)| **at));
        let mut starts = starts.take_while(|start| *start + RECOVERY_TIME <= phase.to);
        let has_recovered = |start: &Duration| {
            let from = calls.partition_point(|(at, _)| *at < start);
            let within = calls[from..].iter().take_while(|(at, _)| **at < *start + RECOVERY_TIME);
            let (mut all, mut primary) = (0.0, 0.0);
            for (_, record) in within {
                all += 1.0;
                primary += f64::from(u8::from(record.result == CallResult::Primary));
            }
            all > 0.0 && primary >= RECOVERY_SHARE * all
        };
        starts.find(has_recovered).map(|start| seconds(start - phase.from))
    }

    /// The calls with a tool while it was unavailable.
    fn tools(&self, attempts: &[ReceivedAttempt]) -> Option<ToolMetrics> {
        let incident = &self.scenario.incident;
        if incident.tools().is_empty() {
            return None;
        }
        let without = self.without_tools(attempts);
        let mut metrics = ToolMetrics::default();
        for ((at, record), without) in self.arrivals.iter().zip(self.records).zip(without) {
            let by_primary = record.result == CallResult::Primary;
            match has_tools(record.call) {
                _ if incident.tools_gone_at(*at).next().is_none() => {}
                true => {
                    metrics.calls += 1;
                    metrics.primary_without += u64::from(without && by_primary);
                }
                false => {
                    metrics.others += 1;
                    metrics.primary_others += u64::from(by_primary);
                }
            }
        }
        Some(metrics)
    }

    /// Whether the last attempt of each call asked for the same model without tools.
    fn without_tools(&self, attempts: &[ReceivedAttempt]) -> Vec<bool> {
        let mut without = vec![false; self.arrivals.len()];
        for attempt in attempts {
            let call = attempt.call.and_then(|call| without.get_mut(call as usize));
            if let Some(without) = call {
                *without = !attempt.tools && attempt.model.as_deref() == Some(MODEL);
            }
        }
        without
    }

    fn fallbacks(&self) -> BTreeMap<String, u64> {
        let mut fallbacks = BTreeMap::new();
        for fallback in self.records.iter().filter_map(|record| record.fallback.as_deref()) {
            *fallbacks.entry(fallback.to_owned()).or_default() += 1;
        }
        fallbacks
    }

    /// A percentile of the times to the first content of the answered calls, by nearest rank.
    fn percentile(&self, fraction: f64) -> Option<f64> {
        let answered = self.records.iter().filter(|record| record.result.is_answer());
        let mut firsts: Vec<_> = answered.filter_map(|record| record.first_content).collect();
        firsts.sort_unstable();
        let rank = (fraction * firsts.len() as f64).ceil() as usize;
        firsts.get(rank.saturating_sub(1)).map(|first| seconds(*first))
    }

    fn series(&self, attempts: &[ReceivedAttempt]) -> Series {
        let mut series = Series::empty(self.scenario.incident.length(), self.scenario.bucket);
        for (at, record) in self.arrivals.iter().zip(self.records) {
            let point = series.at(*at);
            point.calls[record.result as usize] += 1;
            point.late += u64::from(self.late(record));
        }
        for attempt in attempts {
            series.at(self.time(attempt)).attempts_primary += 1;
        }
        for attempt in self.harness.secondary().attempts() {
            series.at(self.time(&attempt)).attempts_secondary += 1;
        }
        series
    }

    fn reasons(&self) -> BTreeMap<String, u64> {
        let mut reasons = BTreeMap::new();
        for reason in self.records.iter().filter_map(|record| record.reason.as_ref()) {
            if let Some(count) = reasons.get_mut(reason) {
                *count += 1;
            } else if reasons.len() < MAX_REASONS {
                reasons.insert(reason.clone(), 1);
            }
        }
        reasons
    }
}

/// Seconds, rounded to milliseconds.
fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}

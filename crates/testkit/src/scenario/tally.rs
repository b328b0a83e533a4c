//! From records to figures.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use crate::{
    incident::Phase,
    provider::Attempt,
    scenario::{
        Figures, Kind, Scenario, Series, Stage, ToolFigures,
        play::{MODEL, Record, brings_tools},
    },
};

/// What a drill has seen of one client.
pub(super) struct Tally<'a> {
    pub(super) drill: &'a Scenario,
    pub(super) stage: &'a Stage,
    pub(super) start: Instant,
    pub(super) arrivals: &'a [Duration],
    pub(super) records: &'a [Record],
}

/// When a caller has to have an answer.
const DUE: Duration = Duration::from_secs(30);
/// A timer is due a little late, and so is the task that waits for it: in real time, whatever the scale.
const GRACE: Duration = Duration::from_millis(50);
/// How long the primary has to answer again before it counts as recovered, and which part of the calls.
const STEADY: Duration = Duration::from_secs(10);
const MOST: f64 = 0.95;
const REASONS: usize = 32;

// === impl Tally ===

impl Tally<'_> {
    pub(super) fn figures(&self, name: &str) -> Figures {
        let attempts = self.stage.primary().attempts();
        let count = |kind| self.records.iter().filter(|record| record.kind == kind).count() as u64;
        let down = |time: Duration| self.drill.incident.primary_at(time).is_down();
        let times = attempts.iter().map(|attempt| self.time(attempt));
        Figures {
            name: name.into(),
            calls: self.records.len() as u64,
            primary: count(Kind::Primary),
            secondary: count(Kind::Secondary),
            stored: count(Kind::Stored),
            canned: count(Kind::Canned),
            error: count(Kind::Error),
            late: self.records.iter().filter(|record| self.late(record)).count() as u64,
            hung: count(Kind::Hung),
            attempts_primary: self.stage.primary().count(),
            calls_down: self.arrivals.iter().filter(|at| down(**at)).count() as u64,
            attempts_primary_down: times.filter(|at| down(*at)).count() as u64,
            detect_s: self.detect(&attempts),
            recover_s: self.recover(),
            first_event_p50_s: self.percentile(0.50),
            first_event_p99_s: self.percentile(0.99),
            tools: self.tools(&attempts),
            rungs: self.rungs(),
            series: self.series(&attempts),
            reasons: self.reasons(),
        }
    }

    /// When an attempt came, in the time of the incident.
    fn time(&self, attempt: &Attempt) -> Duration {
        attempt.at.saturating_duration_since(self.start).div_f64(self.drill.scale)
    }

    fn late(&self, record: &Record) -> bool {
        let due = DUE + GRACE.div_f64(self.drill.scale);
        record.kind != Kind::Hung && record.took > due
    }

    fn detect(&self, attempts: &[Attempt]) -> Vec<Option<f64>> {
        let mut sent = vec![false; self.arrivals.len()];
        for call in attempts.iter().filter_map(|attempt| attempt.call) {
            if let Some(sent) = sent.get_mut(call as usize) {
                *sent = true;
            }
        }
        let phases = self.drill.incident.primary().iter().filter(|phase| phase.state.is_down());
        let first = |phase: &Phase| {
            let mut calls = self.arrivals.iter().zip(&sent);
            let spared = calls.find(|(at, sent)| phase.contains(**at) && !**sent);
            spared.map(|(at, _)| seconds(*at - phase.from))
        };
        phases.map(first).collect()
    }

    fn recover(&self) -> Vec<Option<f64>> {
        let mut out = false;
        let mut recovered = Vec::new();
        for phase in self.drill.incident.primary() {
            if phase.state.is_healthy() && std::mem::take(&mut out) {
                recovered.push(self.steady(phase));
            }
            out |= phase.state.is_down();
        }
        recovered
    }

    /// From the start of a phase to the first ten seconds in which the primary answered nearly all.
    fn steady(&self, phase: &Phase) -> Option<f64> {
        let calls = self.arrivals.iter().zip(self.records);
        let calls = calls.skip_while(|(at, _)| **at < phase.from);
        let calls: Vec<_> = calls.take_while(|(at, _)| **at < phase.to).collect();
        let starts = std::iter::once(phase.from).chain(calls.iter().map(|(at, _)| **at));
        let mut starts = starts.take_while(|start| *start + STEADY <= phase.to);
        let steady = |start: &Duration| {
            let from = calls.partition_point(|(at, _)| *at < start);
            let within = calls[from..].iter().take_while(|(at, _)| **at < *start + STEADY);
            let (mut all, mut primary) = (0.0, 0.0);
            for (_, record) in within {
                all += 1.0;
                primary += f64::from(u8::from(record.kind == Kind::Primary));
            }
            all > 0.0 && primary >= MOST * all
        };
        starts.find(steady).map(|start| seconds(start - phase.from))
    }

    /// The calls with a tool while it did not work.
    fn tools(&self, attempts: &[Attempt]) -> Option<ToolFigures> {
        let incident = &self.drill.incident;
        if incident.tools().is_empty() {
            return None;
        }
        // Whether the last attempt of a call asked for the same model without tools.
        let mut without = vec![false; self.arrivals.len()];
        for attempt in attempts {
            let call = attempt.call.and_then(|call| without.get_mut(call as usize));
            if let Some(without) = call {
                *without = !attempt.tools && attempt.model.as_deref() == Some(MODEL);
            }
        }
        let mut figures = ToolFigures::default();
        for ((at, record), without) in self.arrivals.iter().zip(self.records).zip(without) {
            let by_primary = record.kind == Kind::Primary;
            match brings_tools(record.call) {
                _ if incident.tools_gone_at(*at).next().is_none() => {}
                true => {
                    figures.calls += 1;
                    figures.primary_without += u64::from(without && by_primary);
                }
                false => {
                    figures.others += 1;
                    figures.primary_others += u64::from(by_primary);
                }
            }
        }
        Some(figures)
    }

    fn rungs(&self) -> BTreeMap<String, u64> {
        let mut rungs = BTreeMap::new();
        for rung in self.records.iter().filter_map(|record| record.rung.as_deref()) {
            *rungs.entry(rung.to_owned()).or_default() += 1;
        }
        rungs
    }

    /// The nearest rank among the calls that were answered.
    fn percentile(&self, part: f64) -> Option<f64> {
        let answered = self.records.iter().filter(|record| record.kind.is_answer());
        let mut firsts: Vec<_> = answered.filter_map(|record| record.first).collect();
        firsts.sort_unstable();
        let rank = (part * firsts.len() as f64).ceil() as usize;
        firsts.get(rank.saturating_sub(1)).map(|first| seconds(*first))
    }

    fn series(&self, attempts: &[Attempt]) -> Series {
        let mut series = Series::empty(self.drill.incident.length(), self.drill.bucket);
        for (at, record) in self.arrivals.iter().zip(self.records) {
            let point = series.at(*at);
            point.calls[record.kind as usize] += 1;
            point.late += u64::from(self.late(record));
        }
        for attempt in attempts {
            series.at(self.time(attempt)).attempts_primary += 1;
        }
        for attempt in self.stage.secondary().attempts() {
            series.at(self.time(&attempt)).attempts_secondary += 1;
        }
        series
    }

    fn reasons(&self) -> BTreeMap<String, u64> {
        let mut reasons = BTreeMap::new();
        for why in self.records.iter().filter_map(|record| record.why.as_ref()) {
            if let Some(count) = reasons.get_mut(why) {
                *count += 1;
            } else if reasons.len() < REASONS {
                reasons.insert(why.clone(), 1);
            }
        }
        reasons
    }
}

/// Seconds to the millisecond.
fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}

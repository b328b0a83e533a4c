//! The metrics that were recorded, for assertions.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use evenkeel::telemetry::Metrics;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

/// A recorder for tests.
#[derive(Clone)]
pub(super) struct Recorded {
    listener: Metrics,
    snapshotter: Snapshotter,
    /// Every series so far: a snapshot clears what it has read.
    totals: Arc<Mutex<Seen>>,
}

/// The series of a snapshot.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen(BTreeMap<(String, Labels), Vec<f64>>);

type Labels = BTreeMap<String, String>;

// === impl Recorded ===

impl Default for Recorded {
    fn default() -> Self {
        let recorder = DebuggingRecorder::new();
        let snapshotter = recorder.snapshotter();
        let listener = Metrics::with_recorder(recorder);
        Self { listener, snapshotter, totals: Arc::default() }
    }
}

impl Recorded {
    pub(super) fn listener(&self) -> Metrics {
        self.listener.clone()
    }

    /// What was recorded since the last snapshot. Counters of the snapshot are added to the totals.
    pub(super) fn snapshot(&self) -> Seen {
        let mut seen = Seen::default();
        for (key, unit, help, value) in self.snapshotter.snapshot().into_vec() {
            let (_, key) = key.into_parts();
            assert!(unit.is_some() && help.is_some(), "{} is described", key.name());
            let labels = key.labels().map(|label| (label.key().into(), label.value().into()));
            let values = match value {
                DebugValue::Counter(value) => vec![value as f64],
                DebugValue::Gauge(value) => vec![value.into_inner()],
                DebugValue::Histogram(values) => values.into_iter().map(Into::into).collect(),
            };
            let at = (key.name().to_owned(), labels.collect::<Labels>());
            let mut totals = self.totals.lock().unwrap();
            let total = totals.0.entry(at.clone()).or_default();
            match values[..] {
                [value] if total.len() == 1 => total[0] += value,
                _ => total.extend(&values),
            }
            seen.0.insert(at, values);
        }
        seen
    }

    /// The sums of all snapshots.
    pub(super) fn totals(&self) -> Seen {
        self.snapshot();
        self.totals.lock().unwrap().clone()
    }
}

// === impl Seen ===

impl Seen {
    /// The value of the counter or gauge with exactly these labels.
    pub(super) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        self.0.get(&(name.to_owned(), labels)).and_then(|values| values.first().copied())
    }

    /// The sums of a metric by two of its labels, without those that are 0.
    pub(super) fn sums(&self, name: &str, by: [&str; 2]) -> BTreeMap<(String, String), f64> {
        let mut sums = BTreeMap::new();
        for ((metric, labels), values) in &self.0 {
            if metric == name {
                let key = by.map(|label| labels[label].clone());
                *sums.entry(key.into()).or_default() += values.iter().sum::<f64>();
            }
        }
        sums.retain(|_, sum| *sum != 0.0);
        sums
    }

    /// The number of values of a histogram.
    pub(super) fn count(&self, name: &str) -> usize {
        let of = self.0.iter().filter(|((metric, _), _)| metric == name);
        of.map(|(_, values)| values.len()).sum()
    }

    /// Every label with its value.
    pub(super) fn labels(&self) -> BTreeSet<(String, String)> {
        self.0.keys().flat_map(|(_, labels)| labels.clone()).collect()
    }

    /// The values of one label.
    pub(super) fn values_of(&self, label: &str) -> BTreeSet<String> {
        self.labels()
            .into_iter()
            .filter(|(name, _)| name == label)
            .map(|(_, value)| value)
            .collect()
    }
}

//! The series of one metric: one handle for each set of label values, registered on first use.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder};

use super::catalog::MetricInfo;

/// Where series are registered.
pub(super) type SharedRecorder = Arc<dyn Recorder + Send + Sync>;

/// The handle of one series.
pub(super) trait Handle: Clone {
    /// Registers a series.
    fn register(recorder: &SharedRecorder, key: &Key) -> Self;
}

/// The series of one metric.
pub(super) struct Series<H> {
    metric: &'static MetricInfo,
    recorder: SharedRecorder,
    handles: RwLock<HashMap<Values, H>>,
}

/// The values of the labels, in the order of [`MetricInfo::labels`]: one of bounded number, such as a route, then static ones.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Values {
    named: Vec<Arc<str>>,
    fixed: [Option<&'static str>; 2],
}

/// Counters, gauges and histograms come from this crate.
const METADATA: Metadata<'static> =
    Metadata::new("evenkeel", Level::INFO, Some("evenkeel::telemetry"));

// === impl Series ===

impl<H: Handle> Series<H> {
    pub(super) fn new(metric: &'static MetricInfo, recorder: &SharedRecorder) -> Self {
        Self { metric, recorder: recorder.clone(), handles: RwLock::default() }
    }

    /// The handle of the series with these values.
    pub(super) fn at(&self, values: impl Into<Values>) -> H {
        let values = values.into();
        let known = self.handles.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = known.get(&values) {
            return handle.clone();
        }
        drop(known);
        // Without the lock: the recorder is code of the user. Two threads that register the same series get the same one.
        let handle = H::register(&self.recorder, &values.key(self.metric));
        let mut known = self.handles.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(values).or_insert(handle).clone()
    }
}

// === impl Values ===

impl Values {
    fn key(&self, metric: &MetricInfo) -> Key {
        let count = self.named.len() + self.fixed.iter().flatten().count();
        debug_assert_eq!(count, metric.labels.len(), "{}", metric.name);
        let named = self.named.iter().map(|value| value.clone().into());
        let fixed =
            self.fixed.iter().flatten().map(|value| metrics::SharedString::const_str(value));
        let labels = metric.labels.iter().zip(named.chain(fixed));
        // An empty value is that of a label which the series does not have.
        let labels = labels.filter(|(_, value): &(_, metrics::SharedString)| !value.is_empty());
        let labels: Vec<_> = labels.map(|(name, value)| Label::new(*name, value)).collect();
        Key::from_parts(metric.name, labels)
    }
}

impl From<Vec<Arc<str>>> for Values {
    fn from(named: Vec<Arc<str>>) -> Self {
        Self { named, fixed: [None; 2] }
    }
}

impl From<[&'static str; 1]> for Values {
    fn from([one]: [&'static str; 1]) -> Self {
        Self { named: Vec::new(), fixed: [Some(one), None] }
    }
}

impl From<&Arc<str>> for Values {
    fn from(named: &Arc<str>) -> Self {
        Self { named: vec![named.clone()], fixed: [None; 2] }
    }
}

impl From<(&Arc<str>, &'static str)> for Values {
    fn from((named, one): (&Arc<str>, &'static str)) -> Self {
        Self { named: vec![named.clone()], fixed: [Some(one), None] }
    }
}

impl From<(&Arc<str>, &'static str, &'static str)> for Values {
    fn from((named, one, other): (&Arc<str>, &'static str, &'static str)) -> Self {
        Self { named: vec![named.clone()], fixed: [Some(one), Some(other)] }
    }
}

// === impl Handle ===

impl Handle for Counter {
    fn register(recorder: &SharedRecorder, key: &Key) -> Self {
        recorder.register_counter(key, &METADATA)
    }
}

impl Handle for Gauge {
    fn register(recorder: &SharedRecorder, key: &Key) -> Self {
        recorder.register_gauge(key, &METADATA)
    }
}

impl Handle for Histogram {
    fn register(recorder: &SharedRecorder, key: &Key) -> Self {
        recorder.register_histogram(key, &METADATA)
    }
}

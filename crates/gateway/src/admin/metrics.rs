//! `/metrics`: the metrics of the library and of the process, as text for Prometheus.

use std::sync::Arc;

use evenkeel::telemetry::{
    Metrics,
    metrics::{CATALOG, DURATION_BUCKETS, MetricKind, TOKEN_BUCKETS},
};
use metrics::{Unit, describe_gauge, gauge, with_local_recorder};
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use super::process::Process;

/// Records the metrics of all clients, and renders them.
#[derive(Clone, Debug)]
pub(super) struct Exporter {
    recorder: Arc<PrometheusRecorder>,
    handle: PrometheusHandle,
    metrics: Metrics,
}

/// What is measured of the gateway itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    /// The open connections of callers, and the most of them.
    pub(super) connections: usize,
    pub(super) max_connections: usize,
    /// The open connections of the operator's listener.
    pub(super) admin_connections: usize,
    pub(super) draining: bool,
    /// When the process started, in seconds since 1970.
    pub(super) started: f64,
}

// === impl Exporter ===

impl Exporter {
    pub(super) fn new() -> Result<Self, String> {
        let recorder = recorder().map_err(|error| format!("no metrics: {error}"))?;
        let (handle, recorder) = (recorder.handle(), Arc::new(recorder));
        let metrics = Metrics::with_recorder(recorder.clone());
        with_local_recorder(&recorder, describe);
        Ok(Self { recorder, handle, metrics })
    }

    /// The listener of one client.
    pub(super) fn listener(&self) -> Metrics {
        self.metrics.clone()
    }

    /// Bounds the memory of histograms that nobody reads.
    pub(super) fn upkeep(&self) {
        self.handle.run_upkeep();
    }

    /// Every metric. Reads files of the system.
    pub(super) fn render(&self, figures: Figures) -> String {
        with_local_recorder(&self.recorder, || record(figures, Process::read()));
        self.handle.render()
    }
}

/// A recorder with the names and buckets of the dashboard and the alerts.
fn recorder() -> Result<PrometheusRecorder, BuildError> {
    let tokens = |metric: &&evenkeel::telemetry::metrics::MetricInfo| {
        metric.kind == MetricKind::Histogram && metric.unit == Unit::Count
    };
    let builder = PrometheusBuilder::new().with_recommended_naming(true);
    let builder = builder.set_buckets(&DURATION_BUCKETS)?;
    let builder = CATALOG.iter().filter(tokens).try_fold(builder, |builder, metric| {
        builder.set_buckets_for_metric(Matcher::Full(metric.name.into()), &TOKEN_BUCKETS)
    });
    Ok(builder?.build_recorder())
}

fn describe() {
    describe_gauge!("evenkeel.gateway.build_info", "1, with the version as a label.");
    describe_gauge!("evenkeel.gateway.connections", "Open connections of callers.");
    describe_gauge!("evenkeel.gateway.connections_max", "The most open connections of callers.");
    describe_gauge!(
        "evenkeel.gateway.admin_connections",
        "Open connections of the operator's listener."
    );
    describe_gauge!("evenkeel.gateway.draining", "1 while the process drains.");
    describe_gauge!("process.start_time", Unit::Seconds, "Start of the process, since 1970.");
    describe_gauge!("process.resident_memory", Unit::Bytes, "Resident memory.");
    describe_gauge!("process.open_fds", "Open file descriptors.");
    describe_gauge!("process.max_fds", "The most open file descriptors.");
}

fn record(figures: Figures, process: Process) {
    let version = env!("CARGO_PKG_VERSION");
    gauge!("evenkeel.gateway.build_info", "version" => version).set(1.0);
    gauge!("evenkeel.gateway.connections").set(figures.connections as f64);
    gauge!("evenkeel.gateway.connections_max").set(figures.max_connections as f64);
    gauge!("evenkeel.gateway.admin_connections").set(figures.admin_connections as f64);
    gauge!("evenkeel.gateway.draining").set(f64::from(u8::from(figures.draining)));
    gauge!("process.start_time").set(figures.started);
    // What the system does not tell is left out.
    let known = |name: &'static str, value: Option<u64>| {
        if let Some(value) = value {
            gauge!(name).set(value as f64);
        }
    };
    known("process.resident_memory", process.resident);
    known("process.open_fds", process.descriptors);
    known("process.max_fds", process.max_descriptors);
}

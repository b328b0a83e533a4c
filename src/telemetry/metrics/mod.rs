//! Metrics of calls, attempts, breakers, limits and tokens, through the [`metrics`](https://docs.rs/metrics) facade: feature
//! `metrics`.
//!
//! [`Metrics`] is an [`Observer`](super::Observer): give it to
//! [`ClientBuilder::observe`](crate::ClientBuilder::observe), and to every other client a clone of its own. Any exporter of the facade
//! takes the metrics: Prometheus, StatsD, OpenTelemetry.
//!
//! # The proof
//!
//! Two shares show what evenkeel is worth: the failures that callers saw, and the failures of providers.
//!
//! | | share | in PromQL |
//! |---|---|---|
//! | seen by callers | calls that failed | `calls{outcome!~"success\|blocked\|cancelled"}` / `calls{outcome!="cancelled"}` |
//! | upstream | attempts that failed | `attempts{outcome!~"success\|blocked\|cancelled\|refused"}` / `attempts{outcome!~"cancelled\|refused"}` |
//! | absorbed | their quotient | 1 − seen by callers / upstream |
//!
//! `docs/grafana/evenkeel.json` in the repository is a dashboard that begins with them, `docs/prometheus/alerts.yml` has alerts.
//!
//! # Metrics
//!
//! A name has dots as in OpenTelemetry; in Prometheus dots are underscores, and the unit and `total` are appended:
//! `evenkeel_call_duration_seconds`, `evenkeel_calls_total`. [`CATALOG`] is this table for programs.
//!
//! | metric | type, unit | labels | meaning |
//! |---|---|---|---|
//! | `evenkeel.calls` | counter | `served_by`, `outcome` | calls that are over; counted at the end of the answer, so that a stream that was cut is not a success |
//! | `evenkeel.call.duration` | histogram, s | `served_by`, `outcome` | from the call to the end of its answer |
//! | `evenkeel.answers.degraded` | counter | `kind` | answers that are less than what the caller asked for: `edited`, `stored`, `stale`, `canned`, `resumed` |
//! | `evenkeel.attempts` | counter | `route`, `outcome`, `hedge` | attempts that ended; those of `outcome="refused"` were not sent |
//! | `evenkeel.attempt.duration` | histogram, s | `route`, `outcome` | from the start of an attempt that was sent to its commit point, with its time in queues |
//! | `evenkeel.first_content` | histogram, s | `route` | from the start of an attempt to the first content of its stream; pings and empty chunks are not content |
//! | `evenkeel.rejections` | counter | `route`, `cause` | attempts with `outcome="rejected"` by what was rejected: `credential`, `payment`, `permission`, `gateway`, `model`, `parameter`, `request` |
//! | `evenkeel.breaker.state` | gauge | `route`, `state` | 1 for the state of the breaker, 0 for the others; of several breakers, the worst state |
//! | `evenkeel.breaker.openings` | counter | `route`, `cause` | breakers that opened, by [reason](crate::breaker::TransitionReason::name) |
//! | `evenkeel.budget.left` | gauge | `route` | share of the retry budget that is left, from 0 to 1; of several budgets, the lowest |
//! | `evenkeel.limit.queued` | gauge | `priority` | attempts that wait in the queue of a limit |
//! | `evenkeel.limit.waited` | histogram, s | `priority` | time in the queue, also of attempts that were refused or cancelled there |
//! | `evenkeel.limit.closed` | counter | `route` | times that a provider's rate limit closed the route |
//! | `evenkeel.tokens` | counter | `route`, `direction` | tokens that providers reported, with those of failed attempts; `input` or `output` |
//! | `evenkeel.wasted_tokens` | counter | `route`, `cause` | the part of them in answers that no caller got in full: of a failed attempt (`retry`, or `hedge` for a second copy), cut while it was read (`cut`), dropped by the caller (`cancelled`) |
//! | `evenkeel.chaos.injected` | counter | `fault` | faults that were injected on purpose, by [`FaultKind::name`](super::FaultKind::name); only with the feature `chaos` |
//!
//! The client metrics of the OpenTelemetry conventions for generative AI, under the names of their last release (1.41). They are
//! recorded once for each call that a provider answered or failed; not for stored answers, canned replies and answers of equal
//! calls, and not for calls that run no model. Chunks after the first are not timed.
//!
//! | metric | type, unit | labels | meaning |
//! |---|---|---|---|
//! | `gen_ai.client.operation.duration` | histogram, s | `gen_ai.operation.name`, `gen_ai.provider.name`, `gen_ai.request.model`, `gen_ai.response.model`, `error.type` | from the call to the end of its answer |
//! | `gen_ai.client.operation.time_to_first_chunk` | histogram, s | `gen_ai.operation.name`, `gen_ai.provider.name`, `gen_ai.request.model`, `gen_ai.response.model`, `error.type` | from the call to the first chunk of a stream |
//! | `gen_ai.client.token.usage` | histogram | `gen_ai.operation.name`, `gen_ai.provider.name`, `gen_ai.request.model`, `gen_ai.response.model`, `gen_ai.token.type` | tokens of a call; `input` or `output` |
//!
//! # Labels
//!
//! | label | values |
//! |---|---|
//! | `route` | the configured name of the fallback, `primary` for the first; of several equal targets the name and the position, such as `primary/0` |
//! | `served_by` | the name of the fallback that answered, `stored` for the cache, `none` without an answer |
//! | `outcome` | [`Outcome::name`](crate::outcome::Outcome::name) |
//! | `state` | [`CircuitState::name`](crate::breaker::CircuitState::name) |
//!
//! A model is a value only after it has answered, in at most 64 pairs of a requested model and one that answered; others are
//! `other`. At most 64 providers are values. A label that does
//! not apply, such as `error.type` of a success, is left out.
//!
//! Labels never contain a URL, a credential, or any other text of a caller. `route` and `served_by` have at most
//! [`Metrics::MAX_ROUTES`] values together; further names, as of [`Fallbacks`](crate::context::Fallbacks) that a call brings, are
//! `other`. All other values are constants. The series of configured fallbacks are there from the start, at 0, since a rate over a
//! series that appears with the first failure misses it.
//!
//! # Defaults
//!
//! The facade leaves the buckets of a histogram to the exporter. [`DURATION_BUCKETS`] and [`TOKEN_BUCKETS`] have the boundaries
//! that the OpenTelemetry conventions advise.
//!
//! # Example: Prometheus
//!
//! ```
//! use evenkeel::{Client, telemetry::{Metrics, metrics::{DURATION_BUCKETS, TOKEN_BUCKETS}}};
//! use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let prometheus = PrometheusBuilder::new()
//!     // The names of the dashboard and the alerts.
//!     .with_recommended_naming(true)
//!     .set_buckets(&DURATION_BUCKETS)?
//!     .set_buckets_for_metric(Matcher::Full("gen_ai.client.token.usage".into()), &TOKEN_BUCKETS)?
//!     .install_recorder()?;
//! let client = Client::builder().observe(Metrics::new()).build()?;
//! # drop(client);
//! // The answer to `GET /metrics`; `prometheus.run_upkeep()` is to be called every few seconds.
//! let page = prometheus.render();
//! assert!(page.contains(r#"evenkeel_breaker_state{route="primary",state="closed"} 1"#));
//! # Ok(())
//! # }
//! ```
//!
//! # Example: another system
//!
//! A listener of your own sees the same events. This one counts calls and tokens for a meter of OpenTelemetry, which is shown as a
//! trait here:
//!
//! ```
//! use evenkeel::telemetry::{Event, EventKind, Observer};
//!
//! /// As `opentelemetry::metrics::Counter::add` and `Histogram::record`.
//! trait Meter: Send + Sync + 'static {
//!     fn add(&self, name: &'static str, value: u64, attributes: &[(&'static str, String)]);
//!     fn record(&self, name: &'static str, value: f64, attributes: &[(&'static str, String)]);
//! }
//!
//! struct Otel<M>(M);
//!
//! impl<M: Meter> Observer for Otel<M> {
//!     fn observe(&self, event: &Event) {
//!         match &event.kind {
//!             EventKind::CallClosed { report, .. } => {
//!                 let served_by = report.served_by.as_deref().unwrap_or("none").to_owned();
//!                 let outcome = report.outcome.name().to_owned();
//!                 let attributes = [("served_by", served_by), ("outcome", outcome)];
//!                 self.0.add("evenkeel.calls", 1, &attributes);
//!                 self.0.record("evenkeel.call.duration", report.took.as_secs_f64(), &attributes);
//!             }
//!             EventKind::AttemptEnded { verdict, .. } => {
//!                 let outcome = verdict.outcome().name().to_owned();
//!                 self.0.add("evenkeel.attempts", 1, &[("outcome", outcome)]);
//!             }
//!             EventKind::BreakerChanged { to, reason, .. } => {
//!                 let attributes = [("state", to.name().to_owned()), ("cause", reason.name().to_owned())];
//!                 self.0.add("evenkeel.breaker.changes", 1, &attributes);
//!             }
//!             _ => {}
//!         }
//!     }
//! }
//! # struct Nothing;
//! # impl Meter for Nothing {
//! #     fn add(&self, _: &'static str, _: u64, _: &[(&'static str, String)]) {}
//! #     fn record(&self, _: &'static str, _: f64, _: &[(&'static str, String)]) {}
//! # }
//! # let builder = evenkeel::Client::builder().observe(Otel(Nothing));
//! # drop(builder);
//! ```
//!
//! # Pitfalls
//!
//! - Install the exporter before [`Metrics::new`]: a series that is registered without one records nothing, and stays so.
//! - Clients whose fallbacks have the same names share their series. Name fallbacks where that matters.
//! - Two clients that are built of clones of one builder share one listener, and so the gauges of their breakers. Set the listener
//!   after the clone.
//! - A gauge shows one process. Aggregate over instances: `max by (route, state)`.
//! - Where callers bring models or keys of their own, one route has several breakers, and one wrong key shows it as open. The alert
//!   for an open route also looks at its successes.
//! - Wasted tokens are a lower bound: many failures come without a report, and of two copies in a race the slower one is cancelled
//!   before it has one.
//! - The budget that hedges have besides that of the retries is not shown.
//! - A breaker that is forgotten after two hours without a call keeps its last state until the next change.

mod buckets;
mod catalog;
mod gen_ai;
mod instruments;
mod label_names;
mod label_values;
mod listener;
mod recorder;
mod route_table;
mod seed;
mod series;

pub use buckets::{DURATION_BUCKETS, TOKEN_BUCKETS};
pub use catalog::{CATALOG, MetricInfo, MetricKind};
pub use listener::Metrics;

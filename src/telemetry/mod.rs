//! Telemetry: events, `tracing` spans, and the attempt log of every answer.
//!
//! Each step of a call emits an [`Event`] with the id of the call. Events go to `tracing`, and to an [`Observer`] if one is set:
//! counters, a dashboard, a test. [`Telemetry`] is the outermost layer: it opens the span of the call, which lasts until the body
//! of the answer has ended, starts the [`AttemptLog`](crate::context::AttemptLog), and puts it into the response or the error.
//! [`AttemptSpan`] opens a span for each attempt.
//!
//! # Spans
//!
//! Names and fields are those of the OpenTelemetry semantic conventions for generative AI, and for HTTP clients. Both spans have
//! `otel.name`, `otel.kind` (`client`), `server.address` and `server.port`, and at their end `http.response.status_code`,
//! `error.type`, `otel.status_code` and `otel.status_description`:
//!
//! | span | ends with | other fields |
//! |---|---|---|
//! | `call`, named `{operation} {model}` | the body of the answer, also if it is dropped | `gen_ai.operation.name`, `gen_ai.request.*` (`model`, `stream`, `max_tokens`, `temperature`, `top_p`, `top_k`, `seed`, `frequency_penalty`, `presence_penalty`, `choice.count`, `reasoning.level`), `gen_ai.output.type`, `evenkeel.call.id`; at the end `gen_ai.provider.name`, `gen_ai.response.*` (`id`, `model`, `finish_reasons`, `time_to_first_chunk`), `gen_ai.usage.*` (`input_tokens`, `output_tokens`, `cache_read.input_tokens`, `cache_creation.input_tokens`, `reasoning.output_tokens`), `evenkeel.source`, `evenkeel.served_by`, `evenkeel.attempts`, `evenkeel.ending` |
//! | `call` that runs no model, named by its method | the same | `http.request.method`, `url.full`, `evenkeel.*` as above; nothing of `gen_ai.*` |
//! | `attempt`, named by its method | the body of its answer, or its failure | `http.request.method`, `http.request.resend_count` (not on the first), `url.full`, `gen_ai.provider.name`, `gen_ai.request.model`, `evenkeel.route`, `evenkeel.fallback` (its position, from 0), `evenkeel.chaos` (the fault, if one was injected on purpose); at the end `evenkeel.outcome` |
//!
//! `error.type` is the outcome's name, such as `rate_limited`; a call or an attempt that was cancelled has none. The provider is
//! [`ProviderName`]. A field always has one type. `url.full` is without query and user. Spans never contain headers, prompts,
//! answers or the provider's messages.
//!
//! # Defaults
//!
//! Events go to `tracing` under the target `evenkeel`, each with its name (`evenkeel.call_ended`) and typed fields. What is logged
//! at which level is in [the guide](crate::guide::telemetry); a warning that repeats is logged once for each route in
//! [`LOG_INTERVAL`].
//!
//! # Example
//!
//! ```
//! use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
//! use evenkeel::telemetry::{Event, EventKind, EventSink};
//!
//! let refused = Arc::new(AtomicU64::new(0));
//! let count = refused.clone();
//! let events = EventSink::new(move |event: &Event| {
//!     if let EventKind::BreakerRefused { .. } = event.kind {
//!         count.fetch_add(1, Ordering::Relaxed);
//!     }
//! });
//! # let _ = (events, refused);
//! ```
//!
//! # Pitfalls
//!
//! A listener is called inline: count, send to a channel, and return. A listener that panics is called again with the next event;
//! the panic is reported to `tracing` once, as [`EventKind::Panicked`]. Panics of canned replies, stores, schedules and sources
//! of credentials are reported in the same way, once for each kind, also to the listener.

mod answer_source;
mod attempt_span;
mod call_report;
mod chaos_log;
mod edit_summary;
mod event;
mod event_sink;
mod facts;
mod log;
mod log_limit;
mod log_steps;
#[cfg(feature = "metrics")]
#[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
pub mod metrics;
mod named_event;
mod open_call;
mod operation;
mod reasons;
mod redacted_url;
mod request_edited;
mod seen_codes;
mod service;
mod shared_sink;
mod span_handle;
mod spans;

pub use answer_source::AnswerSource;
pub use attempt_span::{AttemptSpan, AttemptSpanFuture, AttemptSpanLayer};
pub use call_report::CallReport;
pub use edit_summary::EditSummary;
pub use event::EventKind;
pub use event_sink::{ConfiguredFallback, EventSink, Observer};
pub(crate) use facts::PlainFacts;
pub use log_limit::LOG_INTERVAL;
#[cfg(feature = "metrics")]
pub use metrics::Metrics;
pub use named_event::Event;
pub use reasons::{CredentialFailure, MissReason, SkipReason, StopReason, UserCode};
pub use service::{Telemetry, TelemetryFuture, TelemetryLayer};
pub(crate) use shared_sink::SharedSink;
pub(crate) use span_handle::SpanHandle;

pub use crate::{
    attempt_log::Degradation, dialect::AnswerInfo, fault_kind::FaultKind, route::ProviderName,
};

//! Telemetry: events, `tracing` spans, and the attempt log of every answer.
//!
//! Each step of a call emits an [`Event`] with the id of the call. Events go to `tracing`, and to an [`Observer`] if one is set:
//! counters, a dashboard, a test. [`Telemetry`] is the outermost layer: it opens the span of the call, which lasts until the body
//! of the answer has ended, starts the [`AttemptLog`](crate::context::AttemptLog), and puts it into the response or the error.
//! [`AttemptSpan`] opens a span for each attempt.
//!
//! # Spans
//!
//! Names and attributes are those of the OpenTelemetry semantic conventions for generative AI:
//!
//! | span | attributes |
//! |---|---|
//! | `chat` (`otel.name` = `chat {model}`) | `otel.kind`, `gen_ai.operation.name`, `gen_ai.request.model`, `gen_ai.request.max_tokens`, `server.address`, `server.port`, `evenkeel.call.id`; at the end `http.response.status_code`, `error.type`, `evenkeel.served_by`, `evenkeel.attempts`, `evenkeel.ending` |
//! | `attempt` | `gen_ai.provider.name`, `gen_ai.request.model`, `evenkeel.route`, `evenkeel.fallback` (its position, from 0); at the end `http.response.status_code`, `error.type` |
//!
//! `error.type` is the outcome's name, such as `rate_limited`. Spans never contain headers, prompts or answers.
//!
//! # Defaults
//!
//! Events go to `tracing` under the target `evenkeel`: a breaker that opens and an exhausted quota as `WARN`; other changes of a
//! breaker, a rate limit and a failed call as `INFO`; the rest as `DEBUG`.
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

mod edit_summary;
mod event;
mod event_sink;
mod reasons;
mod request_edited;
mod seen_codes;
mod service;
mod shared_sink;
mod span_handle;
mod tracing;

pub use edit_summary::EditSummary;
pub use event::{Event, EventKind};
pub use event_sink::{EventSink, Observer};
pub use reasons::{CredentialFailure, MissReason, SkipReason, StopReason, UserCode};
pub use service::{
    AttemptSpan, AttemptSpanFuture, AttemptSpanLayer, Telemetry, TelemetryFuture, TelemetryLayer,
};
pub(crate) use shared_sink::SharedSink;
pub(crate) use span_handle::SpanHandle;

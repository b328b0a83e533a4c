//! Watching evenkeel: spans for a tracing backend, and what is logged.
//!
//! evenkeel writes spans and events with `tracing`, under the target `evenkeel`. It depends on no exporter: the subscriber of your
//! program decides where they go. The fields, with the names of the OpenTelemetry conventions for generative AI, are listed in
//! [`telemetry`](crate::telemetry).
//!
//! # OpenTelemetry
//!
//! The bridge is the crate `tracing-opentelemetry`, in the version that fits your exporter:
//!
//! ```text
//! let exporter = SpanExporter::builder().with_http().with_endpoint("http://127.0.0.1:4318/v1/traces").build()?;
//! let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).build();
//! let bridge = tracing_opentelemetry::layer().with_tracer(provider.tracer("evenkeel"));
//! let evenkeel = Targets::new().with_target("evenkeel", Level::INFO);
//! tracing_subscriber::registry().with(bridge.with_filter(evenkeel)).init();
//! ```
//!
//! `tests/clients/examples/opentelemetry.rs` in the repository is the whole program; a test beside it compares what a collector
//! gets with the conventions. The filter matters: spans are `INFO`, and an exporter that traces its own requests would never end.
//!
//! # What a backend shows
//!
//! - **One trace for each call.** The span of the call, such as `chat gpt-4o`, has its attempts within. It ends with the body of
//!   the answer, so its duration is that of the whole stream, and it is an error if the stream was cut.
//! - **Errors** are spans with the status `ERROR`; `error.type` is the [name of the outcome](crate::outcome::Outcome::name). On the
//!   spans of calls they are the errors that your users see; on those of attempts, the errors of the providers. A call that the
//!   caller cancelled is no error, and neither is an answer that ended by the provider's content filter.
//! - **Tokens and cost** are on the span of the call only, so nothing is counted twice. Multiply them by the prices of
//!   `gen_ai.response.model` at `gen_ai.provider.name`: after a fallback these are the model and the provider that answered.
//! - **Who answered**: `evenkeel.source` is `first_target`, `fallback`, `cached`, `stored`, `canned` or `shared`;
//!   `evenkeel.served_by` is the name of the fallback.
//! - **Retries** are attempts with `http.request.resend_count`.
//!
//! A provider that you host yourself is named by its dialect, such as `openai`, unless its target has a
//! [name](crate::fallback::Target::provider):
//!
//! ```
//! use evenkeel::fallback::Target;
//!
//! let target = Target::new("http://10.0.0.7:8000/v1").model("qwen3").provider("vllm");
//! # let _ = target;
//! ```
//!
//! # What is logged by default
//!
//! | level | when |
//! |---|---|
//! | `WARN` | a breaker opened; a target was ejected; user code panicked |
//! | `WARN`, once a minute | faults are injected on purpose, with their counts |
//! | `WARN`, once a minute for each route | a canned reply; a rejected key or model; a path that is not found; an exhausted quota; a required payment; a block by a proxy; TLS that failed; trouble of this machine |
//! | `INFO` | an answer from a fallback or from the store; a call that failed; an answer that failed while it was read; a code or a finish reason that is in no table; a rate limit |
//! | `DEBUG` | every other step, with the name of its event |
//!
//! A warning that repeats has `suppressed`, the number of those that were not logged since the last one. Messages are short and
//! fixed; everything else is in fields, so a log can be searched by `route`, `outcome` or `code`. Durations are in seconds, in
//! fields that end in `_s`.
//!
//! # A listener instead of spans
//!
//! [`CallClosed`](crate::telemetry::EventKind::CallClosed), the last event of a call, has the values of its span:
//!
//! ```
//! use evenkeel::{Client, telemetry::{Event, EventKind}};
//!
//! # fn main() -> Result<(), evenkeel::ConfigError> {
//! let client = Client::builder()
//!     .observe(|event: &Event| {
//!         if let EventKind::CallClosed { report, .. } = &event.kind {
//!             let tokens = report.answer.usage.map_or(0, |usage| usage.input + usage.output);
//!             println!("{} by {}: {tokens} tokens in {:?}", report.outcome, report.provider, report.took);
//!         }
//!     })
//!     .build()?;
//! # let _ = client; Ok(())
//! # }
//! ```
//!
//! # Metrics
//!
//! A listener counts: see [`telemetry`](crate::telemetry).
//!
//! # Pitfalls
//!
//! `gen_ai.response.finish_reasons` is a list in JSON, such as `["stop"]`, because `tracing` has no lists. The provider is recorded
//! at the end of a call, since a fallback may answer: a sampler that decides at the start of a span does not see it. A stream
//! reports its tokens at its end, and OpenAI's chat completions only if the request asks for them
//! (`stream_options.include_usage`).

//! The spans of calls and attempts in `tracing`.
//!
//! Every field is recorded once, since a bridge to OpenTelemetry keeps both values of a field that is recorded twice; and every
//! number is signed or a float, since bridges record unsigned ones as text.

use tracing::{Level, Span, field::Empty, info_span};

use super::{
    call_report::{CallReport, is_failure},
    redacted_url::{port, redacted},
};
use crate::{
    Request,
    attempt_log::CallId,
    context::{AttemptContext, Destination},
    dialect::{AnswerInfo, RequestInfo, Usage},
    fault_kind::FaultKind,
    outcome::Outcome,
    route::shown,
};

/// The span of a call; disabled, at no cost, if there is no subscriber.
pub(super) fn call(
    id: CallId,
    request: &Request,
    info: &RequestInfo,
    operation: Option<&'static str>,
) -> Span {
    if !tracing::enabled!(target: "evenkeel", Level::INFO) {
        return Span::none();
    }
    match operation {
        Some(operation) => model_call(id, request, info, operation),
        None => http_call(id, request),
    }
}

/// The span of a call to a model.
fn model_call(id: CallId, request: &Request, info: &RequestInfo, operation: &str) -> Span {
    let model = info.model().map(shown);
    let name = match &model {
        Some(model) => format!("{operation} {model}"),
        None => operation.to_owned(),
    };
    let sampling = info.sampling();
    let choices = Some(info.choices()).filter(|choices| *choices > 1).map(i64::from);
    let output = sampling.json_output.map(|json| if json { "json" } else { "text" });
    info_span!(
        target: "evenkeel",
        "call",
        otel.name = name,
        otel.kind = "client",
        otel.status_code = Empty,
        otel.status_description = Empty,
        gen_ai.operation.name = operation,
        gen_ai.provider.name = Empty,
        gen_ai.request.model = model.as_deref(),
        gen_ai.request.stream = info.stream().then_some(true),
        gen_ai.request.max_tokens = info.max_tokens().map(int),
        gen_ai.request.temperature = sampling.temperature,
        gen_ai.request.top_p = sampling.top_p,
        gen_ai.request.top_k = sampling.top_k,
        gen_ai.request.seed = sampling.seed,
        gen_ai.request.frequency_penalty = sampling.frequency_penalty,
        gen_ai.request.presence_penalty = sampling.presence_penalty,
        gen_ai.request.choice.count = choices,
        gen_ai.request.reasoning.level = sampling.reasoning_effort.as_deref(),
        gen_ai.output.r#type = output,
        gen_ai.response.id = Empty,
        gen_ai.response.model = Empty,
        gen_ai.response.finish_reasons = Empty,
        gen_ai.response.time_to_first_chunk = Empty,
        gen_ai.usage.input_tokens = Empty,
        gen_ai.usage.output_tokens = Empty,
        gen_ai.usage.cache_read.input_tokens = Empty,
        gen_ai.usage.cache_creation.input_tokens = Empty,
        gen_ai.usage.reasoning.output_tokens = Empty,
        server.address = request.uri().host(),
        server.port = port(request.uri()).map(i64::from),
        http.response.status_code = Empty,
        error.r#type = Empty,
        evenkeel.call.id = int(id.get()),
        evenkeel.served_by = Empty,
        evenkeel.source = Empty,
        evenkeel.attempts = Empty,
        evenkeel.ending = Empty,
    )
}

/// The span of a call that runs no model.
fn http_call(id: CallId, request: &Request) -> Span {
    let method = method(request);
    info_span!(
        target: "evenkeel",
        "call",
        otel.name = method,
        otel.kind = "client",
        otel.status_code = Empty,
        otel.status_description = Empty,
        http.request.method = method,
        url.full = redacted(request.uri()),
        server.address = request.uri().host(),
        server.port = port(request.uri()).map(i64::from),
        http.response.status_code = Empty,
        error.r#type = Empty,
        evenkeel.call.id = int(id.get()),
        evenkeel.served_by = Empty,
        evenkeel.source = Empty,
        evenkeel.attempts = Empty,
        evenkeel.ending = Empty,
    )
}

/// The span of an attempt: that of an HTTP client. `resends` is the number of attempts before it. The operation of the call is
/// not in it, so that no dashboard counts a call twice.
pub(super) fn attempt(request: &Request, to: &Destination, resends: u32) -> Span {
    if !tracing::enabled!(target: "evenkeel", Level::INFO) {
        return Span::none();
    }
    let (method, context) = (method(request), AttemptContext::get(request));
    let fallback = context.map_or(0, |attempt| attempt.fallback_index);
    // The route of an edited request has a suffix.
    let suffix = context.and_then(|attempt| attempt.variant.as_deref()).unwrap_or_default();
    let model = to.route.model();
    let model = Some(model.strip_suffix(suffix).unwrap_or(model)).filter(|model| *model != "-");
    let provider = model.is_some().then_some(&*to.provider);
    info_span!(
        target: "evenkeel",
        "attempt",
        otel.name = method,
        otel.kind = "client",
        otel.status_code = Empty,
        otel.status_description = Empty,
        http.request.method = method,
        http.request.resend_count = Some(resends).filter(|resends| *resends > 0).map(i64::from),
        url.full = redacted(request.uri()),
        server.address = request.uri().host(),
        server.port = port(request.uri()).map(i64::from),
        http.response.status_code = Empty,
        error.r#type = Empty,
        gen_ai.provider.name = provider,
        gen_ai.request.model = model,
        evenkeel.route = %to.route,
        evenkeel.fallback = i64::from(fallback),
        evenkeel.chaos = Empty,
        evenkeel.outcome = Empty,
    )
}

/// Marks the span of the current attempt: a fault was injected into it.
pub(super) fn injected(fault: FaultKind) {
    Span::current().record("evenkeel.chaos", fault.name());
}

/// Records the end of an attempt.
pub(super) fn end_attempt(span: &Span, outcome: Outcome, status: Option<u16>) {
    span.record("evenkeel.outcome", outcome.name());
    end(span, outcome, status);
}

/// Records the end of a call.
pub(super) fn end_call(span: &Span, report: &CallReport) {
    if span.is_disabled() {
        return;
    }
    if report.operation.is_some() {
        span.record("gen_ai.provider.name", &*report.provider);
        answer(span, &report.answer);
        if let Some(first) = report.first_chunk {
            span.record("gen_ai.response.time_to_first_chunk", first.as_secs_f64());
        }
    }
    span.record("evenkeel.attempts", i64::from(report.attempts));
    span.record("evenkeel.source", report.source.name());
    if let Some(fallback) = &report.served_by {
        span.record("evenkeel.served_by", &**fallback);
    }
    if let Some(ending) = report.ending {
        span.record("evenkeel.ending", ending.outcome().name());
    }
    end(span, report.outcome, report.status);
}

/// Records the status of a span.
fn end(span: &Span, outcome: Outcome, status: Option<u16>) {
    if let Some(status) = status {
        span.record("http.response.status_code", i64::from(status));
    }
    if is_failure(outcome, status) {
        span.record("error.type", outcome.name());
        span.record("otel.status_code", "ERROR");
        // Of the outcome alone: the provider's own message may repeat the prompt.
        span.record("otel.status_description", outcome.to_string());
    }
}

/// Records the facts of an answer.
fn answer(span: &Span, answer: &AnswerInfo) {
    if let Some(id) = &answer.id {
        span.record("gen_ai.response.id", &**id);
    }
    if let Some(model) = &answer.model {
        span.record("gen_ai.response.model", &**model);
    }
    if !answer.finish_reasons.is_empty() {
        // A list, as JSON: `tracing` has no lists.
        let reasons = serde_json::to_string(&answer.finish_reasons).unwrap_or_default();
        span.record("gen_ai.response.finish_reasons", reasons);
    }
    if let Some(usage) = &answer.usage {
        tokens(span, usage);
    }
}

fn tokens(span: &Span, usage: &Usage) {
    span.record("gen_ai.usage.input_tokens", int(usage.input));
    span.record("gen_ai.usage.output_tokens", int(usage.output));
    for (name, count) in [
        ("gen_ai.usage.cache_read.input_tokens", usage.cache_read),
        ("gen_ai.usage.cache_creation.input_tokens", usage.cache_write),
        ("gen_ai.usage.reasoning.output_tokens", usage.reasoning),
    ] {
        if count > 0 {
            span.record(name, int(count));
        }
    }
}

/// The method of a request, or one name for all that HTTP does not define.
fn method(request: &Request) -> &str {
    match request.method().as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "CONNECT" | "OPTIONS" | "TRACE"
        | "PATCH") => known,
        _ => "_OTHER",
    }
}

/// A number as `tracing` bridges keep it.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

//! The spans of calls and attempts: their names, fields, types and ends.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex},
};

use tracing::{
    Level, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt, registry::LookupSpan};

use super::*;
use crate::support::{post, request_to};

#[derive(Clone, Debug, Default)]
pub(super) struct Spanned {
    name: &'static str,
    parent: Option<u64>,
    pub(super) fields: BTreeMap<String, String>,
    closed: bool,
}

/// An event: its span, its level, and its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Logged {
    span: Option<u64>,
    pub(super) level: Level,
    pub(super) name: &'static str,
    pub(super) fields: BTreeMap<String, String>,
}

/// Every span and every event, with all their fields.
#[derive(Clone, Debug, Default)]
pub(super) struct Spans(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    spans: BTreeMap<u64, Spanned>,
    order: Vec<u64>,
    events: Vec<Logged>,
    /// The type of each field of a span.
    types: BTreeMap<String, &'static str>,
}

/// The fields of one span or event. A field that is recorded twice, or once with one type and once with another, is a fault: a
/// bridge to OpenTelemetry keeps both.
struct Fields<'a> {
    fields: &'a mut BTreeMap<String, String>,
    types: &'a mut BTreeMap<String, &'static str>,
}

// === impl Fields ===

impl Fields<'_> {
    fn put(&mut self, field: &Field, kind: &'static str, value: String) {
        let name = field.name();
        let before = self.types.insert(name.into(), kind);
        assert!(before.is_none_or(|before| before == kind), "{name} is {kind} and {before:?}");
        let before = self.fields.insert(name.into(), value);
        assert_eq!(before, None, "{name} is recorded twice");
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, "text", value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, "bool", value.to_string());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, "int", value.to_string());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, "float", value.to_string());
    }

    fn record_u64(&mut self, field: &Field, _: u64) {
        panic!("{}: bridges record unsigned numbers as text", field.name());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, "text", format!("{value:?}"));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut span = Spanned { name: attributes.metadata().name(), ..Spanned::default() };
        span.parent = context.current_span().id().map(Id::into_u64);
        let mut seen = self.0.lock().unwrap();
        attributes.record(&mut Fields { fields: &mut span.fields, types: &mut seen.types });
        // The registry reuses the number of a span that has closed.
        assert!(seen.spans.insert(id.into_u64(), span).is_none_or(|old| old.closed));
        seen.order.push(id.into_u64());
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, _: Context<'_, S>) {
        let mut seen = self.0.lock().unwrap();
        let Seen { spans, types, .. } = &mut *seen;
        let fields = &mut spans.get_mut(&id.into_u64()).unwrap().fields;
        record.record(&mut Fields { fields, types });
    }

    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        let mut fields = BTreeMap::new();
        event.record(&mut Fields { fields: &mut fields, types: &mut BTreeMap::new() });
        let span = context.current_span().id().map(Id::into_u64);
        let (level, name) = (*event.metadata().level(), event.metadata().name());
        self.0.lock().unwrap().events.push(Logged { span, level, name, fields });
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        self.0.lock().unwrap().spans.get_mut(&id.into_u64()).unwrap().closed = true;
    }
}

impl Spans {
    /// Subscribes on this thread until the guard is dropped.
    pub(super) fn subscribe(&self) -> tracing::subscriber::DefaultGuard {
        crate::support::enable_all_tracing();
        tracing::subscriber::set_default(tracing_subscriber::registry().with(self.clone()))
    }

    fn named(&self, name: &str) -> Vec<(u64, Spanned)> {
        let seen = self.0.lock().unwrap();
        let ids = seen.order.iter().map(|id| (*id, seen.spans[id].clone()));
        ids.filter(|(_, span)| span.name == name).collect()
    }

    /// The fields of all spans of that name, which have all closed.
    fn fields(&self, name: &str) -> Vec<BTreeMap<String, String>> {
        let spans = self.named(name).into_iter();
        spans
            .map(|(_, span)| {
                assert!(span.closed, "{span:?}");
                span.fields
            })
            .collect()
    }

    /// The events of that level or above.
    pub(super) fn logged(&self, level: Level) -> Vec<Logged> {
        let seen = self.0.lock().unwrap();
        seen.events.iter().filter(|event| event.level <= level).cloned().collect()
    }

    /// All spans and events with their fields, as one text, one on each line.
    pub(super) fn text(&self) -> String {
        let seen = self.0.lock().unwrap();
        let spans = seen.spans.values().map(|span| (span.name, &span.fields));
        let events = seen.events.iter().map(|event| ("event", &event.fields));
        let mut text = String::new();
        for (name, fields) in spans.chain(events) {
            text.push_str(name);
            text.extend(fields.iter().map(|(field, value)| format!(" {field}={value}")));
            text.push('\n');
        }
        text
    }
}

/// Asserts that a span has these values, and that a field with an empty value is missing.
#[track_caller]
fn has(fields: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    for (field, value) in expected {
        let found = fields.get(*field).map_or("", String::as_str);
        assert_eq!(found, *value, "{field} in {fields:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_is_a_span_with_the_names_of_opentelemetry_and_its_attempts_are_within() {
    let spans = Spans::default();
    let _listening = spans.subscribe();
    let (primary, second) = pair();
    primary.set(Reply::status(503).head_after(ms(5)));
    second.set(Reply::answer().model("spare-2026").between_events(ms(100)));
    let client = over(Client::builder().fallback(secondary()), [&primary, &second]);
    let request = with_body(
        r#"{"model":"m","stream":true,"stream_options":{"include_usage":true},"max_tokens":64,"temperature":0.5,"messages":[]}"#,
    );
    let response = client.send(request).await.unwrap();
    let [(id, call)] = &spans.named("call")[..] else { panic!("one call, one span") };
    assert!(!call.closed, "the answer is still to come");
    has(
        &call.fields,
        &[
            ("otel.name", "chat m"),
            ("otel.kind", "client"),
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.request.model", "m"),
            ("gen_ai.request.stream", "true"),
            ("gen_ai.request.max_tokens", "64"),
            ("gen_ai.request.temperature", "0.5"),
            ("gen_ai.request.top_p", ""),
            ("server.address", "primary"),
            ("server.port", "80"),
        ],
    );
    let attempts = spans.named("attempt");
    assert_eq!(attempts.len(), 4);
    for (n, (_, attempt)) in attempts.iter().enumerate() {
        let sent = n.to_string();
        assert_eq!(attempt.parent, Some(*id));
        // The last one ends with its body.
        assert_eq!(attempt.closed, n < 3);
        let (host, model) = if n < 3 { ("primary", "m") } else { ("secondary", "spare") };
        let url = format!("http://{host}/v1/chat/completions");
        has(
            &attempt.fields,
            &[
                ("otel.name", "POST"),
                ("otel.kind", "client"),
                ("http.request.method", "POST"),
                ("http.request.resend_count", if n == 0 { "" } else { &sent }),
                ("url.full", &url),
                ("server.address", host),
                ("gen_ai.provider.name", "openai"),
                ("gen_ai.request.model", model),
                ("gen_ai.operation.name", ""),
                ("evenkeel.fallback", if n < 3 { "0" } else { "1" }),
                ("evenkeel.outcome", if n < 3 { "unavailable" } else { "" }),
                ("error.type", if n < 3 { "unavailable" } else { "" }),
                ("otel.status_code", if n < 3 { "ERROR" } else { "" }),
                ("http.response.status_code", if n < 3 { "503" } else { "" }),
            ],
        );
    }
    read(response).await.is_whole();
    has(
        &spans.fields("call")[0],
        &[
            ("evenkeel.ending", "success"),
            ("evenkeel.served_by", "spare"),
            ("evenkeel.source", "fallback"),
            ("evenkeel.attempts", "4"),
            ("http.response.status_code", "200"),
            ("gen_ai.provider.name", "openai"),
            ("gen_ai.response.model", "spare-2026"),
            ("gen_ai.response.finish_reasons", r#"["stop"]"#),
            ("gen_ai.usage.output_tokens", "60"),
            ("error.type", ""),
            ("otel.status_code", ""),
        ],
    );
    let last = &spans.fields("attempt")[3];
    let served = ("evenkeel.outcome", "success");
    has(last, &[served, ("http.response.status_code", "200"), ("gen_ai.usage.output_tokens", "")]);
    let seen = spans.0.lock().unwrap();
    assert!(
        seen.events.iter().all(|event| event.span.is_some()),
        "no event is outside of the span"
    );
}

#[tokio::test(start_paused = true)]
async fn the_time_to_the_first_chunk_is_that_of_streams_alone() {
    let spans = Spans::default();
    let _listening = spans.subscribe();
    let reply = Reply::answer().first_content_after(ms(400)).between_events(ms(10));
    let client = over(Client::builder(), [&Provider::new("primary").always(reply)]);
    for stream in [true, false] {
        call(&client, chat(stream)).await.unwrap();
    }
    let [streamed, whole] = &spans.fields("call")[..] else { panic!("two calls") };
    has(streamed, &[("gen_ai.response.time_to_first_chunk", "0.4")]);
    has(whole, &[("gen_ai.response.time_to_first_chunk", "")]);
    for call in [streamed, whole] {
        assert!(call["gen_ai.response.id"].len() > 4);
        has(call, &[("gen_ai.usage.output_tokens", "60"), ("gen_ai.response.model", "m")]);
    }
}

#[tokio::test(start_paused = true)]
async fn cached_tokens_and_reasoning_are_in_the_span() {
    let spans = Spans::default();
    let _listening = spans.subscribe();
    let body = r#"{"id":"c1","model":"m-1","choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":90,"completion_tokens":9,"prompt_tokens_details":{"cached_tokens":64},"completion_tokens_details":{"reasoning_tokens":5}}}"#;
    let primary = Provider::new("primary").always(Reply::raw(200, "application/json", body));
    call(&over(Client::builder(), [&primary]), chat(false)).await.unwrap();
    has(
        &spans.fields("call")[0],
        &[
            ("gen_ai.response.id", "c1"),
            ("gen_ai.response.model", "m-1"),
            ("gen_ai.usage.input_tokens", "90"),
            ("gen_ai.usage.output_tokens", "9"),
            ("gen_ai.usage.cache_read.input_tokens", "64"),
            ("gen_ai.usage.cache_creation.input_tokens", ""),
            ("gen_ai.usage.reasoning.output_tokens", "5"),
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn an_embeddings_call_has_its_operation_model_and_tokens() {
    let spans = Spans::default();
    let _listening = spans.subscribe();
    let body = r#"{"data":[{"embedding":[0.5]}],"model":"text-embedding-3-small","usage":{"prompt_tokens":8,"total_tokens":8}}"#;
    let primary = Provider::new("primary").always(Reply::raw(200, "application/json", body));
    let request = post("/v1/embeddings", r#"{"model":"text-embedding-3-small","input":"x"}"#);
    call(&over(Client::builder(), [&primary]), request).await.unwrap();
    has(
        &spans.fields("call")[0],
        &[
            ("otel.name", "embeddings text-embedding-3-small"),
            ("gen_ai.operation.name", "embeddings"),
            ("gen_ai.request.model", "text-embedding-3-small"),
            ("gen_ai.response.model", "text-embedding-3-small"),
            ("gen_ai.usage.input_tokens", "8"),
            ("http.response.status_code", "200"),
            ("otel.status_code", ""),
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_runs_no_model_is_an_http_span_without_fields_of_generative_ai() {
    let spans = Spans::default();
    let _listening = spans.subscribe();
    let primary = Provider::new("primary").always(Reply::raw(404, "application/json", "{}"));
    let request = request_to("GET", "/v1/files/file-1?key=secret", "");
    call(&over(Client::builder(), [&primary]), request).await.unwrap();
    let (call, attempt) = (&spans.fields("call")[0], &spans.fields("attempt")[0]);
    for span in [call, attempt] {
        has(
            span,
            &[
                ("otel.name", "GET"),
                ("otel.kind", "client"),
                ("http.request.method", "GET"),
                ("url.full", "http://primary/v1/files/file-1?REDACTED"),
                ("http.response.status_code", "404"),
                ("otel.status_code", "ERROR"),
            ],
        );
        assert!(!span.keys().any(|field| field.starts_with("gen_ai.")), "{span:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_is_named_by_its_host_or_as_its_target_is() {
    let spans = Spans::default();
    let _listening = spans.subscribe();
    let (primary, second) = (Provider::new("primary"), Provider::new("api.mistral.ai"));
    primary.set(Reply::status(401));
    let own = Target::new("http://primary/v1").provider("vllm");
    let known = Target::new("https://api.mistral.ai/v1").bearer("k").model("small").provider("x");
    let builder = Client::builder().primary(own).fallback(Fallback::target(known));
    call(&over(builder, [&primary, &second]), chat(false)).await.unwrap();
    let attempts = spans.fields("attempt");
    let named: Vec<_> = attempts.iter().map(|span| &*span["gen_ai.provider.name"]).collect();
    assert_eq!(named, ["vllm", "mistral_ai"]);
    has(&spans.fields("call")[0], &[("gen_ai.provider.name", "mistral_ai")]);
}

#[tokio::test(start_paused = true)]
async fn the_span_of_a_call_has_its_failure() {
    let spans = Spans::default();
    let _listening = spans.subscribe();
    let primary = Provider::new("primary").replies([
        Reply::status(400),
        Reply::answer().with(Fault::Cut { words: 3 }),
        Reply::hang(),
        Reply::answer().between_events(secs(1)),
    ]);
    let client = over(Client::builder(), [&primary]);
    call(&client, chat(true)).await.unwrap();
    call(&client, chat(true)).await.unwrap();
    client.send(chat(true)).await.unwrap_err();
    drop(client.send(chat(true)).await.unwrap());
    let log = spans.fields("call");
    assert_eq!(log.len(), 4);
    let error = ("otel.status_code", "ERROR");
    has(&log[0], &[error, ("http.response.status_code", "400"), ("error.type", "rejected")]);
    has(&log[0], &[("otel.status_description", "the provider rejected the request")]);
    has(&log[1], &[error, ("evenkeel.ending", "truncated"), ("error.type", "truncated")]);
    has(
        &log[1],
        &[("gen_ai.response.finish_reasons", r#"["error"]"#), ("gen_ai.response.model", "m")],
    );
    has(&log[2], &[error, ("http.response.status_code", ""), ("error.type", "timed_out")]);
    has(&log[3], &[("otel.status_code", ""), ("evenkeel.ending", "cancelled"), ("error.type", "")]);
    has(&log[3], &[("gen_ai.response.finish_reasons", r#"["error"]"#)]);
    let attempts = spans.fields("attempt");
    has(
        &attempts[1],
        &[error, ("evenkeel.outcome", "truncated"), ("http.response.status_code", "200")],
    );
    has(&attempts[3], &[("otel.status_code", ""), ("evenkeel.outcome", "cancelled")]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_the_content_filter_ended_is_no_failure_of_the_call() {
    let spans = Spans::default();
    let _listening = spans.subscribe();
    let body = r#"{"model":"m","choices":[{"index":0,"message":{"content":""},"finish_reason":"content_filter"}]}"#;
    let primary = Provider::new("primary").always(Reply::raw(200, "application/json", body));
    call(&over(Client::builder(), [&primary]), chat(false)).await.unwrap();
    has(
        &spans.fields("call")[0],
        &[("otel.status_code", ""), ("gen_ai.response.finish_reasons", r#"["content_filter"]"#)],
    );
}

#[tokio::test(start_paused = true)]
async fn the_tokens_of_an_answer_that_equal_calls_share_are_in_one_span() {
    let spans = Spans::default();
    let _listening = spans.subscribe();
    let primary = Provider::new("primary").always(Reply::answer().head_after(ms(20)));
    let cache = evenkeel::cache::CachePolicy::new().coalesce(true);
    let client = over(Client::builder().cache(cache), [&primary]);
    let (one, other) = tokio::join!(call(&client, chat(false)), call(&client, chat(false)));
    one.unwrap().is_whole();
    other.unwrap().is_whole();
    let spans = spans.fields("call");
    let paid = spans.iter().filter(|span| span.contains_key("gen_ai.usage.output_tokens")).count();
    let shared = spans.iter().filter(|span| span["evenkeel.source"] == "shared").count();
    assert_eq!((spans.len(), paid, shared), (2, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn events_of_a_dropped_call_are_in_its_span() {
    let spans = Spans::default();
    let _listening = spans.subscribe();
    let primary = Provider::new("primary").always(Reply::hang());
    let client = over(Client::builder(), [&primary]);
    assert!(timeout(secs(1), client.send(chat(true))).await.is_err());
    let [(id, call)] = &spans.named("call")[..] else { panic!("one call, one span") };
    assert!(call.closed);
    has(&call.fields, &[("evenkeel.ending", "cancelled"), ("evenkeel.attempts", "1")]);
    let attempt = &spans.fields("attempt")[0];
    has(attempt, &[("evenkeel.outcome", "cancelled"), ("error.type", "")]);
    let seen = spans.0.lock().unwrap();
    let beside: Vec<_> = seen.events.iter().filter(|event| event.span != Some(*id)).collect();
    assert_eq!(beside, Vec::<&Logged>::new());
    let names: Vec<_> = seen.events.iter().map(|event| event.name).collect();
    let end = ["evenkeel.attempt_ended", "evenkeel.call_ended", "evenkeel.call_closed"];
    assert!(names.ends_with(&end), "{names:?}");
}

#[cfg(feature = "chaos")]
#[tokio::test(start_paused = true)]
async fn the_span_of_an_attempt_with_a_fault_on_purpose_names_it_and_that_chaos_is_on_is_a_warning()
{
    use evenkeel::chaos::{ChaosPolicy, ChaosRule, ChaosSwitch, FaultKind};
    let spans = Spans::default();
    let _listening = spans.subscribe();
    let (primary, second) = pair();
    let switch = ChaosSwitch::new();
    let chaos = ChaosPolicy::new(&switch).rule(ChaosRule::new(FaultKind::Quota).target("primary"));
    let client = over(Client::builder().chaos(chaos).fallback(secondary()), [&primary, &second]);
    switch.on();
    read(client.send(chat(true)).await.unwrap()).await.is_whole();
    let attempts = spans.fields("attempt");
    assert_eq!(attempts.len(), 2);
    has(&attempts[0], &[("evenkeel.chaos", "quota"), ("evenkeel.outcome", "quota_exhausted")]);
    has(&attempts[1], &[("evenkeel.chaos", ""), ("evenkeel.outcome", "success")]);
    let warnings = spans.logged(Level::WARN);
    assert!(warnings.iter().any(|event| event.name == "evenkeel.chaos_on"), "{warnings:?}");
}

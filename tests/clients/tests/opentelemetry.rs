//! The spans of evenkeel as an OpenTelemetry collector gets them, from the exporter of the example.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, routing::post};
use evenkeel::{Client, Profile};
use evenkeel_clients::stage::{KEY, Stage, brittle};
use evenkeel_testkit::{Fault, Reply};
use serde_json::Value;
use tokio::net::TcpListener;

#[allow(dead_code)]
#[path = "../examples/opentelemetry.rs"]
mod example;

/// A span as the collector got it. Each attribute is its type and its value.
#[derive(Debug)]
struct Span {
    id: String,
    parent: String,
    name: String,
    kind: i64,
    status: Value,
    attributes: BTreeMap<String, (String, String)>,
}

/// A collector on a loopback socket, which ends with the test's runtime.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Value>>>);

// === impl Collector ===

impl Collector {
    async fn start(&self) -> String {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port is free");
        let url = format!("http://{}", socket.local_addr().expect("it is bound"));
        let keep = |State(Self(got)): State<Self>, body: Bytes| async move {
            let batch = serde_json::from_slice(&body).expect("the exporter sends JSON");
            got.lock().unwrap().push(batch);
            "{}"
        };
        let routes = Router::new().route("/v1/traces", post(keep)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(socket, routes).await });
        url
    }

    /// All spans, with no attribute twice in any of them, and none with two types.
    fn spans(&self) -> Vec<Span> {
        let mut types: BTreeMap<String, String> = BTreeMap::new();
        let batches = self.0.lock().unwrap().clone();
        let scopes = batches.iter().flat_map(|batch| list(&batch["resourceSpans"]));
        let spans = scopes.flat_map(|r| list(&r["scopeSpans"])).flat_map(|s| list(&s["spans"]));
        let spans: Vec<Span> = spans.map(Span::of).collect();
        for (name, (kind, _)) in spans.iter().flat_map(|span| &span.attributes) {
            let before = types.insert(name.clone(), kind.clone());
            assert!(before.is_none_or(|before| before == *kind), "{name} has two types");
        }
        spans
    }
}

// === impl Span ===

impl Span {
    fn of(json: &Value) -> Self {
        let mut attributes = BTreeMap::new();
        for attribute in list(&json["attributes"]) {
            let value = attribute["value"].as_object().expect("a value has one type");
            let (kind, value) = value.iter().next().expect("a value has one type");
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let name = text(&attribute["key"]);
            let before = attributes.insert(name.clone(), (kind.clone(), value));
            assert_eq!(before, None, "{name} is there twice");
        }
        Self {
            id: text(&json["spanId"]),
            parent: text(&json["parentSpanId"]),
            name: text(&json["name"]),
            kind: json["kind"].as_i64().unwrap_or_default(),
            status: json["status"].clone(),
            attributes,
        }
    }

    /// The value of an attribute; empty if it is missing.
    fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", |(_, value)| value)
    }

    fn kind_of(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", |(kind, _)| kind)
    }

    fn failed(&self) -> bool {
        self.status["code"].as_i64() == Some(2)
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Sends a request and reads its answer to its end. Returns whether both went well.
async fn ask(client: &Client, url: String, body: &'static str) -> bool {
    let http = reqwest::Client::new();
    let request = http.post(url).header("content-type", "application/json").bearer_auth(KEY);
    match client.execute(request.body(body).build().unwrap()).await {
        Ok(answer) => answer.status().is_success() && answer.bytes().await.is_ok(),
        Err(_) => false,
    }
}

const CHAT: &str = r#"{"model":"m","messages":[]}"#;
const STREAM: &str =
    r#"{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[]}"#;
const EMBED: &str = r#"{"model":"e","input":"x"}"#;
const VECTORS: &str =
    r#"{"model":"e-1","data":[{"embedding":[0.5]}],"usage":{"prompt_tokens":8,"total_tokens":8}}"#;

/// One subscriber serves the whole process, so one test makes all calls.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_gets_status_usage_model_and_provider_of_every_call() {
    let collector = Collector::default();
    let provider = example::exporting_to(&collector.start().await).unwrap();
    tracing::subscriber::set_global_default(example::spans(&provider)).unwrap();

    let one = Duration::from_secs(1);
    let stage = Stage::of([
        Reply::status(400),
        Reply::answer().with(Fault::Cut { words: 3 }),
        Reply::raw(200, "application/json", VECTORS),
        Reply::status(503),
        Reply::answer().model("m-1"),
    ])
    .await;
    let client = stage.evenkeel(brittle(one)).build().unwrap();
    let chat = || format!("{}/chat/completions?key=secret", stage.url());
    assert!(!ask(&client, chat(), CHAT).await, "a failed call");
    assert!(!ask(&client, chat(), STREAM).await, "a cut stream");
    let own = evenkeel_clients::stage::builder(Profile::interactive()).build().unwrap();
    assert!(ask(&own, format!("{}/embeddings", stage.url()), EMBED).await, "an embeddings call");
    let client = stage.evenkeel(brittle(one)).build().unwrap();
    assert!(ask(&client, chat(), CHAT).await, "an answer from the fallback");
    assert!(ask(&own, chat(), STREAM).await, "a whole stream");
    tokio::task::spawn_blocking(move || provider.shutdown()).await.unwrap().unwrap();

    let spans = collector.spans();
    let calls: Vec<&Span> =
        spans.iter().filter(|span| !span.get("evenkeel.call.id").is_empty()).collect();
    let [failed, cut, embeddings, fallback, whole] = &calls[..] else { panic!("{calls:#?}") };
    let attempts = |call: &Span| -> Vec<&Span> {
        spans.iter().filter(|span| span.parent == call.id).collect()
    };

    assert_eq!((&*failed.name, failed.kind), ("chat m", 3));
    assert!(failed.failed() && !text(&failed.status["message"]).is_empty());
    assert_eq!(failed.get("error.type"), "rejected");
    assert_eq!(failed.kind_of("http.response.status_code"), "intValue");

    assert!(cut.failed());
    assert_eq!((cut.get("error.type"), cut.get("gen_ai.response.model")), ("truncated", "m"));
    assert_eq!(cut.get("gen_ai.response.finish_reasons"), r#"["error"]"#);
    assert_eq!(attempts(cut)[0].get("evenkeel.outcome"), "truncated");

    assert_eq!((&*embeddings.name, embeddings.failed()), ("embeddings e", false));
    assert_eq!(embeddings.get("gen_ai.response.model"), "e-1");
    assert_eq!(embeddings.get("gen_ai.usage.input_tokens"), "8");
    assert_eq!(embeddings.kind_of("gen_ai.usage.input_tokens"), "intValue");

    assert!(!fallback.failed());
    assert_eq!(
        (fallback.get("evenkeel.source"), fallback.get("evenkeel.attempts")),
        ("fallback", "2")
    );
    let [first, second] = &attempts(fallback)[..] else { panic!("two attempts") };
    assert!(first.failed() && !second.failed());
    assert_eq!((&*first.name, first.kind), ("POST", 3));
    let resends = |span: &Span| span.get("http.request.resend_count").to_owned();
    assert_eq!((resends(first), resends(second)), (String::new(), "1".into()));
    assert!(first.get("url.full").ends_with("/v1/chat/completions?REDACTED"), "{first:?}");
    assert_eq!(second.get("gen_ai.request.model"), evenkeel_clients::stage::OTHER_MODEL);

    assert_eq!(whole.get("gen_ai.response.model"), "m-1");
    assert_eq!(whole.get("gen_ai.response.finish_reasons"), r#"["stop"]"#);
    assert_eq!(whole.get("gen_ai.request.stream"), "true");
    assert_eq!(whole.kind_of("gen_ai.response.time_to_first_chunk"), "doubleValue");
    assert!(whole.get("gen_ai.usage.output_tokens").parse::<u64>().unwrap() > 0);

    for call in &calls {
        assert_eq!(call.get("gen_ai.provider.name"), "openai");
        assert!(!attempts(call).is_empty());
    }
    for attempt in calls.iter().flat_map(|call| attempts(call)) {
        assert_eq!(attempt.get("gen_ai.operation.name"), "");
        assert_eq!(attempt.get("gen_ai.usage.input_tokens"), "");
        assert_eq!(attempt.get("gen_ai.provider.name"), "openai");
    }
    assert!(!format!("{spans:?}").contains("secret"));
}

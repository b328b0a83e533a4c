//! Sends the spans of evenkeel to an OpenTelemetry collector, over OTLP in HTTP and JSON.
//!
//! evenkeel records its spans with `tracing`, under the target `evenkeel`, and does not depend on OpenTelemetry: the bridge is
//! `tracing-opentelemetry`, in the version that fits your exporter.
//!
//!     OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 cargo run --example opentelemetry
//!
//! The provider is one that fails, on a socket of this machine, so no key is needed.

use std::error::Error;

use evenkeel::Profile;
use evenkeel_clients::stage::{KEY, Stage};
use evenkeel_testkit::Reply;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Level, Subscriber};
use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt};

/// An exporter to the collector at that URL. Keep it, and shut it down at the end: it sends in batches.
pub fn exporting_to(collector: &str) -> Result<SdkTracerProvider, ExporterBuildError> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpJson)
        .with_endpoint(format!("{collector}/v1/traces"))
        .build()?;
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).build())
}

/// The spans of evenkeel, as spans of OpenTelemetry. The exporter's own requests are not traced.
pub fn spans(provider: &SdkTracerProvider) -> impl Subscriber + Send + Sync + use<> {
    let bridge = tracing_opentelemetry::layer().with_tracer(provider.tracer("evenkeel"));
    let evenkeel = Targets::new().with_target("evenkeel", Level::INFO);
    tracing_subscriber::registry().with(bridge.with_filter(evenkeel))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let collector = std::env::var("OTEL_EXPORTER_OTLP_ENDPOINT");
    let provider = exporting_to(collector.as_deref().unwrap_or("http://127.0.0.1:4318"))?;
    tracing::subscriber::set_global_default(spans(&provider))?;

    let stage = Stage::of([Reply::status(503), Reply::status(503), Reply::status(503)]).await;
    let client = stage.evenkeel(Profile::interactive()).build()?;
    let body = r#"{"model":"m","messages":[{"role":"user","content":"Where is my parcel?"}]}"#;
    let request = reqwest::Client::new()
        .post(format!("{}/chat/completions", stage.url()))
        .header("content-type", "application/json")
        .bearer_auth(KEY)
        .body(body)
        .build()?;
    let answer = client.execute(request).await?;
    // The span ends with the body.
    let bytes = answer.bytes().await?.len();
    println!("an answer of {bytes} bytes from the fallback");

    // Sends what is left. It waits for the collector, so not on a thread of the runtime.
    tokio::task::spawn_blocking(move || provider.shutdown()).await??;
    Ok(())
}

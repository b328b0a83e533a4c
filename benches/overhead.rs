//! The cost per call of each layer and of the default stack: time by criterion, allocations by a counting allocator.
//!
//! The upstream answers without a wait, so that only evenkeel is measured. `bare` is the upstream alone with the clone of the
//! request. The request has two sizes, 200 bytes and 100 KiB, because the stack reads the request once.

use std::{hint::black_box, time::Duration};

use bytes::Bytes;
use criterion::{Criterion, criterion_group};
use evenkeel::{
    Body, Client, ClientBuilder, Error, Request, Response, Upstream,
    breaker::BreakerPolicy,
    cache::CachePolicy,
    classify::ClassifyPolicy,
    fallback::{Fallback, FallbackPolicy, Target},
    hedge::HedgePolicy,
    limit::{Concurrency, LimitPolicy},
    retry::RetryPolicy,
    telemetry::{AttemptSpanLayer, TelemetryLayer},
    timeout::{DeadlinePolicy, TimeoutPolicy},
};
use futures_util::FutureExt;
use tower::{Layer, Service, service_fn};

const ANSWER: &str = r#"{"id":"a","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Your parcel arrives tomorrow."},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":6,"total_tokens":15}}"#;

fn upstream() -> impl Upstream {
    service_fn(|_: Request| async {
        let response = http::Response::builder().header("content-type", "application/json");
        response
            .body(Body::from(ANSWER))
            .map_err(|_| Error::new(evenkeel::outcome::Outcome::Malformed))
    })
}

/// A chat request of about `bytes` bytes.
fn request(bytes: usize) -> Request {
    let head = r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":""#;
    let tail = r#""}],"max_tokens":256,"stream":false}"#;
    let text = "where is my parcel? ".repeat(bytes / 20 + 1);
    let body = format!("{head}{}{tail}", &text[..bytes.saturating_sub(head.len() + tail.len())]);
    http::Request::post("https://api.example.com/v1/chat/completions")
        .header("authorization", "Bearer a-key-of-some-length")
        .header("content-type", "application/json")
        .body(Bytes::from(body))
        .expect("every part is valid")
}

/// Makes one call. The upstream never waits, so one poll is enough.
fn call(
    service: &mut impl Service<Request, Response = Response, Error = Error>,
    request: &Request,
) {
    let answer = service.call(request.clone()).now_or_never().expect("the upstream never waits");
    black_box(answer.expect("the upstream always answers"));
}

/// The name of a service and a closure that calls it.
type BenchCase = (&'static str, Box<dyn FnMut(&Request)>);

fn case<S>(name: &'static str, mut service: S) -> BenchCase
where
    S: Service<Request, Response = Response, Error = Error> + 'static,
{
    (name, Box::new(move |request| call(&mut service, request)))
}

fn cases() -> Vec<BenchCase> {
    let valid = "the defaults are valid";
    let fallbacks = FallbackPolicy::new()
        .fallback(Fallback::target(Target::new("https://other.example/v1").bearer("b").model("m")))
        .fallback(Fallback::canned("busy"));
    let stack = |builder: ClientBuilder| builder.build_with(upstream()).expect(valid);
    let limits = LimitPolicy::new().requests(u32::MAX).tokens(u32::MAX);
    let limits = limits.concurrency(Concurrency::Fixed(64));
    let region = |host: &str| Target::new(format!("https://{host}.example/v1")).bearer("b");
    let hour = Duration::from_secs(3600);
    vec![
        case("bare", upstream()),
        case("telemetry", TelemetryLayer::new().layer(upstream())),
        case("attempts", AttemptSpanLayer::default().layer(upstream())),
        case("deadline", DeadlinePolicy::default().build().expect(valid).layer(upstream())),
        case("fallback", fallbacks.clone().build().expect(valid).layer(upstream())),
        case("retry", RetryPolicy::default().build().expect(valid).layer(upstream())),
        case("breaker", BreakerPolicy::default().build().expect(valid).layer(upstream())),
        case("timeout", TimeoutPolicy::default().build().expect(valid).layer(upstream())),
        case("classify", ClassifyPolicy::default().build().expect(valid).layer(upstream())),
        case("hedge", HedgePolicy::default().build().expect(valid).layer(upstream())),
        case("limits, none set", LimitPolicy::default().build().expect(valid).layer(upstream())),
        case("limits, all set", limits.build().expect(valid).layer(upstream())),
        case("default stack", stack(Client::builder())),
        case("with fallbacks", stack(Client::builder().fallback_policy(fallbacks))),
        case("with three equals", stack(Client::builder().primaries(["a", "b", "c"].map(region)))),
        // By default a stored answer does not replace a call, so that each call is sent and its answer stored.
        case("with cache, a miss", stack(Client::builder().cache(CachePolicy::new()))),
        case(
            "with cache, a hit",
            stack(Client::builder().cache(CachePolicy::new().serve_fresh_for(hour))),
        ),
    ]
}

fn time(criterion: &mut Criterion) {
    for (size, bytes) in [("200 B", 200), ("100 KiB", 100 * 1024)] {
        let request = request(bytes);
        let mut group = criterion.benchmark_group(size);
        for (name, mut run) in cases() {
            group.bench_function(name, |bencher| bencher.iter(|| run(&request)));
        }
        group.finish();
    }
}

/// Prints the allocations of one call, after a first call that initialises the shared state.
fn allocations() {
    println!(
        "{:<22} {:>10} {:>10} {:>12} {:>12}",
        "allocations a call", "200 B", "100 KiB", "bytes", "bytes"
    );
    let (small, large) = (request(200), request(100 * 1024));
    for (name, mut run) in cases() {
        let mut count = |request: &Request| {
            run(request);
            allocation_counter::measure(|| run(request))
        };
        let (small, large) = (count(&small), count(&large));
        println!(
            "{name:<22} {:>10} {:>10} {:>12} {:>12}",
            small.count_total, large.count_total, small.bytes_total, large.bytes_total
        );
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1)).without_plots();
    targets = time
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime without IO needs no system resources");
    let _entered = runtime.enter();
    allocations();
    benches();
    Criterion::default().configure_from_args().final_summary();
}

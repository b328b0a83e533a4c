//! The official SDKs of other languages against failing models: `python/sdks.py` and `node/sdks.mjs`.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use evenkeel_testkit::{Fault, Provider, Reply, WORDS};
use tokio::{process::Command, time::timeout};

use super::support::{Models, TestGateway, gateway_with};

/// The ways in which an SDK asks, at most: each has models of its own, as one failure would affect the next call.
const WAYS: usize = 14;
/// The attempts that fail in the outage: some calls, and at most one probe of the breaker.
const OUTAGE: usize = 6;

/// Models that fail as their names indicate.
fn models() -> Models {
    let down = || Reply::status(503);
    let no_prefill = Provider::new("no-prefill").rejects_prefill();
    let outage = Provider::new("outage").replies([(); OUTAGE].map(|()| down()));
    let models = Models::default()
        .always("down", down())
        .always("limited", Reply::rate_limited(None))
        .always("hang", Reply::hang())
        .always("late", Reply::answer().first_content_after(Duration::from_secs(20)))
        .always("unmarked", Reply::answer().with(Fault::NoDone))
        .always("too-large", Reply::context_length_exceeded())
        .always("blocked", Reply::content_policy_violation())
        .always("wrong", Reply::error(400, "invalid_request_error", ""))
        .always("gone", Reply::error(404, "invalid_request_error", "model_not_found"))
        .with("no-prefill", no_prefill)
        .with("outage", outage);
    (0..WAYS).fold(models, models_of_a_way)
}

fn models_of_a_way(models: Models, n: usize) -> Models {
    let named = |name: &str| format!("{name}-{n}");
    let cut = || Reply::answer().with(Fault::Cut { words: 40 });
    let no_key = Reply::error(401, "invalid_request_error", "invalid_api_key");
    models
        .once(&named("500-once"), Reply::status(500))
        .once(&named("503-once"), Reply::status(503))
        .once(&named("429-once"), Reply::rate_limited(Some(Duration::from_millis(300))))
        .once(&named("reset-once"), Reply::reset())
        .once(&named("cut-once"), cut())
        .always(&named("cut"), cut())
        .always(&named("stall"), Reply::answer().with(Fault::stall(20)))
        .always(&named("garbage"), Reply::answer().with(Fault::InvalidEvent { event: 10 }))
        .always(&named("silent"), Reply::hang())
        .always(&named("no-key"), no_key)
        .always(&named("limited"), Reply::rate_limited(Some(Duration::from_secs(60))))
}

/// Each model has its own breaker, so that one failure does not affect another.
async fn gateway() -> TestGateway {
    let toml = "[limits]\ndeadline = 4\nattempt = 1\nfirst_event = 0.7\nidle = 0.7\n";
    gateway_with(toml, &["--upstream", &models().serve().await]).await
}

/// Runs a script against a gateway, and requires it to find nothing unusual.
async fn run(program: &str, script: &Path) {
    let gateway = gateway().await;
    let script = Command::new(program)
        .arg(script)
        .env("EVENKEEL_GATEWAY", &gateway.url)
        .env("EVENKEEL_WORDS", WORDS)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(Duration::from_secs(240), script).await.expect("it ends").unwrap();
    let (printed, why) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{printed}");
    assert!(output.status.success(), "{printed}\n{why}");
    assert!(printed.contains("nothing unusual"), "{printed}");
}

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Python with the SDKs, named by EVENKEEL_PYTHON: see tests/python/sdks.py"]
async fn the_python_sdks_see_nothing_unusual_and_whole_answers_in_the_failures() {
    let python = std::env::var("EVENKEEL_PYTHON").expect("EVENKEEL_PYTHON names a Python");
    run(&python, &tests().join("python/sdks.py")).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a folder with the Node SDKs, named by EVENKEEL_NODE: see tests/node/sdks.mjs"]
async fn the_node_sdks_see_nothing_unusual_and_whole_answers_in_the_failures() {
    let folder = std::env::var("EVENKEEL_NODE").expect("EVENKEEL_NODE names a folder");
    // Node looks for packages beside the script.
    let script = Path::new(&folder).join("sdks.mjs");
    std::fs::copy(tests().join("node/sdks.mjs"), &script).unwrap();
    run("node", &script).await;
}

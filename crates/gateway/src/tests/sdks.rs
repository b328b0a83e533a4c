//! The official Python SDKs against failing models: `sdks.py`.

use std::{process::Stdio, time::Duration};

use evenkeel_testkit::{Fault, Reply, WORDS};
use tokio::{process::Command, time::timeout};

use super::support::{Models, gateway_with};

/// Models that fail as their names indicate.
fn models() -> Models {
    let answer = Reply::answer;
    let mut models = Models::default()
        .always("down", Reply::status(503))
        .always("hang", Reply::hang())
        .always("silent", Reply::hang())
        .always("too-large", Reply::context_length_exceeded())
        .always("wrong", Reply::error(400, "invalid_request_error", ""))
        .always("gone", Reply::error(404, "invalid_request_error", "model_not_found"))
        .always("cut", answer().with(Fault::Cut { words: 40 }))
        .always("stall", answer().with(Fault::stall(20)));
    for n in 0..6 {
        models = models
            .once(&format!("503-once-{n}"), Reply::status(503))
            .always(
                &format!("no-key-{n}"),
                Reply::error(401, "invalid_request_error", "invalid_api_key"),
            )
            .always(&format!("limited-{n}"), Reply::rate_limited(Some(Duration::from_secs(60))))
            .once(&format!("429-once-{n}"), Reply::rate_limited(Some(Duration::from_millis(300))))
            .once(&format!("reset-once-{n}"), Reply::reset())
            .once(&format!("cut-once-{n}"), answer().with(Fault::Cut { words: 40 }));
    }
    models
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Python with the SDKs, named by EVENKEEL_PYTHON: see tests/python/sdks.py"]
async fn the_official_sdks_see_nothing_unusual_and_whole_answers_in_the_failures() {
    let python = std::env::var("EVENKEEL_PYTHON").expect("EVENKEEL_PYTHON names a Python");
    // Each model has its own breaker, so that one failure does not affect another.
    let toml = "[limits]\ndeadline = 4\nattempt = 1\nfirst_event = 0.7\nidle = 0.7\n";
    let gateway = gateway_with(toml, &["--upstream", &models().serve().await]).await;
    let script = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/sdks.py"))
        .env("EVENKEEL_GATEWAY", &gateway.url)
        .env("EVENKEEL_WORDS", WORDS)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(Duration::from_secs(240), script).await.expect("it ends").unwrap();
    let (said, why) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{said}");
    assert!(output.status.success(), "{said}\n{why}");
    assert!(said.contains("nothing unusual"), "{said}");
}

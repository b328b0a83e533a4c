//! `/metrics`.

use std::{collections::BTreeSet, path::Path};

use evenkeel::telemetry::metrics::CATALOG;

use super::Watched;

/// The names of metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
    let ours = |word: &&str| word.starts_with("evenkeel_") && word.matches('_').count() > 0;
    words.filter(ours).map(str::to_owned).collect()
}

#[tokio::test]
async fn every_metric_of_the_dashboard_and_the_alerts_is_there_under_its_name() {
    let watched = Watched::new().await;
    watched.call().await;
    watched.gateway.chat("gpt-4o", true).send().await.unwrap().bytes().await.unwrap();
    watched.outage().await;
    let page = watched.get("/metrics").send().await.unwrap();
    assert!(
        page.headers()["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4")
    );
    let page = page.text().await.unwrap();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let used: BTreeSet<String> = ["grafana/evenkeel.json", "prometheus/alerts.yml"]
        .iter()
        .flat_map(|file| names(&std::fs::read_to_string(docs.join(file)).unwrap()))
        .collect();
    assert!(used.len() > 10, "{used:?}");
    let there = names(&page);
    // A histogram without a sample is not there.
    let unsampled = ["evenkeel_limit_waited_seconds"];
    let absent: Vec<_> = used
        .iter()
        .filter(|name| !there.contains(*name) && !unsampled.iter().any(|it| name.starts_with(it)))
        .collect();
    assert_eq!(absent, Vec::<&String>::new(), "{page}");
    for metric in CATALOG {
        let name = metric.prometheus_name();
        assert!(page.contains(&name) || unsampled.contains(&&*name), "{name}");
    }
    assert!(page.contains("evenkeel_call_duration_seconds_bucket{served_by=\"sorry\",outcome=\"success\",le=\"81.92\"}"), "{page}");
    assert!(page.contains("evenkeel_breaker_state{route=\"openai\",state=\"open\"} 1"), "{page}");
}

#[tokio::test]
async fn the_figures_of_the_process_are_there() {
    let watched = Watched::new().await;
    watched.call().await;
    let page = watched.get("/metrics").send().await.unwrap().text().await.unwrap();
    let value = |name: &str| -> f64 {
        let line = page.lines().find(|line| line.split(['{', ' ']).next() == Some(name));
        let line = line.unwrap_or_else(|| panic!("no {name} in {page}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert_eq!(value("evenkeel_gateway_connections_max"), 1024.0);
    assert!(value("evenkeel_gateway_connections") < 1024.0);
    assert!(value("evenkeel_gateway_admin_connections") >= 1.0);
    assert_eq!(value("evenkeel_gateway_draining"), 0.0);
    assert_eq!(value("evenkeel_gateway_build_info"), 1.0);
    assert!(value("process_start_time_seconds") > 1.7e9);
    if cfg!(target_os = "linux") {
        assert!(value("process_resident_memory_bytes") > 1e6);
        assert!(value("process_open_fds") > 3.0);
        assert!(value("process_max_fds") >= value("process_open_fds"));
    }
}

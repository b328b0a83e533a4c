//! The dashboard and the alerts: every metric, label and value that an expression uses is one that the listener emits.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use evenkeel::telemetry::metrics::{CATALOG, MetricInfo, MetricKind};
use evenkeel_testkit::Provider;
use serde_json::Value;

use super::{
    expressions::{Names, Selector},
    recorded::Recorded,
};
use crate::support::{over, secondary};

/// The labels that Prometheus adds to every series.
const OF_PROMETHEUS: [&str; 2] = ["job", "instance"];

/// The labels whose values are those of this crate.
const FIXED: [&str; 7] = ["outcome", "hedge", "kind", "state", "cause", "priority", "direction"];

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

fn dashboard() -> Value {
    let text = fs::read_to_string(docs().join("grafana/evenkeel.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn alerts() -> String {
    fs::read_to_string(docs().join("prometheus/alerts.yml")).unwrap()
}

/// The expressions of the panels.
fn panel_expressions(dashboard: &Value) -> Vec<String> {
    let targets = panels(dashboard).filter_map(|panel| panel["targets"].as_array()).flatten();
    targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect()
}

fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    dashboard["panels"].as_array().unwrap().iter()
}

/// The values of a key in the rules, each on its line, or in the indented lines below it.
fn rule_values(rules: &str, key: &str) -> Vec<String> {
    let lines: Vec<_> = rules.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut values = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let text = line.trim_start().trim_start_matches("- ");
        let Some(value) = text.strip_prefix(key).and_then(|rest| rest.strip_prefix(": ")) else {
            continue;
        };
        values.push(match value {
            "|" => {
                let below = lines[at + 1..].iter().take_while(|below| {
                    indent(below) > indent(line) + 2 || indent(below) > indent(line)
                });
                below.map(|line| line.trim()).collect::<Vec<_>>().join(" ")
            }
            value => value.to_owned(),
        });
    }
    values
}

/// The metric of a name in Prometheus.
fn metric_of(name: &str) -> Option<&'static MetricInfo> {
    CATALOG.iter().find(|metric| {
        let own = metric.prometheus_name();
        match metric.kind {
            MetricKind::Histogram => {
                ["_bucket", "_sum", "_count"].iter().any(|it| name == format!("{own}{it}"))
            }
            _ => name == own,
        }
    })
}

/// The values of the fixed labels, as a client emits them before its first call.
fn fixed_values() -> BTreeSet<(String, String)> {
    let recorded = Recorded::default();
    let builder = evenkeel::Client::builder().observe(recorded.listener()).fallback(secondary());
    let _client = over(builder, [&Provider::new("primary")]);
    let mut values = recorded.snapshot().labels();
    values.insert(("hedge".into(), "true".into()));
    values
}

/// What is wrong with an expression.
fn faults(
    expression: &str,
    recorded: &[String],
    values: &BTreeSet<(String, String)>,
) -> Vec<String> {
    let names = Names::of(expression);
    let mut faults = Vec::new();
    let mut labels: BTreeSet<&str> = OF_PROMETHEUS.into();
    for Selector { metric, matchers } in &names.selectors {
        if recorded.contains(metric) {
            continue;
        }
        let Some(info) = metric_of(metric) else {
            faults.push(format!("no metric {metric}"));
            continue;
        };
        labels.extend(info.labels);
        labels.extend((info.kind == MetricKind::Histogram).then_some("le"));
        for matcher in matchers {
            let label = matcher.label.as_str();
            if !info.labels.contains(&label) && !OF_PROMETHEUS.contains(&label) {
                faults.push(format!("{metric} has no label {label}"));
            }
            let unknown = |value: &&String| !values.contains(&(label.to_owned(), (*value).clone()));
            let wrong = matcher.values.iter().filter(unknown).filter(|_| FIXED.contains(&label));
            faults.extend(wrong.map(|value| format!("{label} is never {value}")));
        }
    }
    let unknown = names.grouping.iter().filter(|label| !labels.contains(label.as_str()));
    faults.extend(unknown.map(|label| format!("no label {label} to group by")));
    faults
}

#[test]
fn every_name_in_the_dashboard_and_the_alerts_is_emitted() {
    let (rules, values) = (alerts(), fixed_values());
    let recorded = rule_values(&rules, "record");
    let mut expressions = panel_expressions(&dashboard());
    assert!(expressions.len() > 25, "{}", expressions.len());
    let of_rules = rule_values(&rules, "expr");
    let alerts = rule_values(&rules, "alert");
    assert_eq!(of_rules.len(), recorded.len() + alerts.len());
    assert_eq!((recorded.len(), alerts.len()), (3, 8), "{alerts:?}");
    expressions.extend(of_rules);
    for expression in &expressions {
        assert!(!Names::of(expression).selectors.is_empty(), "{expression}");
        assert_eq!(faults(expression, &recorded, &values), [""; 0], "{expression}");
    }
    // Every metric is of use to somebody who looks at the dashboard.
    let shown: Vec<_> = expressions.iter().flat_map(|it| Names::of(it).selectors).collect();
    for metric in CATALOG {
        let used = shown.iter().any(|it| metric_of(&it.metric) == Some(metric));
        assert!(used || metric.name.starts_with("gen_ai."), "{} is not shown", metric.name);
    }
}

#[test]
fn a_wrong_name_is_found() {
    let values = fixed_values();
    let found = |expression| faults(expression, &[], &values).join("; ");
    assert_eq!(found("evenkeel_calls"), "no metric evenkeel_calls");
    assert_eq!(found("evenkeel_call_duration_seconds"), "no metric evenkeel_call_duration_seconds");
    assert_eq!(
        found(r#"evenkeel_calls_total{route="x"}"#),
        "evenkeel_calls_total has no label route"
    );
    assert_eq!(found(r#"evenkeel_calls_total{outcome="ok"}"#), "outcome is never ok");
    assert_eq!(found("sum by (rung) (evenkeel_calls_total)"), "no label rung to group by");
    assert_eq!(found("evenkeel:calls:error_ratio5m"), "no metric evenkeel:calls:error_ratio5m");
    assert_eq!(found(r#"sum by (le) (evenkeel_first_content_seconds_bucket{route="any"})"#), "");
}

// === structure ===

#[test]
fn the_dashboard_can_be_imported() {
    let dashboard = dashboard();
    assert!(dashboard["schemaVersion"].as_u64() >= Some(39));
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    assert_eq!(
        (&variables[0]["type"], &variables[0]["name"]),
        (&"datasource".into(), &"datasource".into())
    );
    let text = dashboard.to_string();
    assert!(
        !text.contains("__inputs") && !text.contains("localhost"),
        "nothing of one installation"
    );
    let mut ids = BTreeSet::new();
    for panel in panels(&dashboard) {
        let title = panel["title"].as_str().unwrap();
        assert!(!title.is_empty() && ids.insert(panel["id"].as_u64().unwrap()), "{title}");
        if panel["type"] == "row" {
            continue;
        }
        assert!(panel["description"].as_str().unwrap().ends_with('.'), "{title}");
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title}");
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        let targets = panel["targets"].as_array().unwrap();
        let ids: BTreeSet<_> = targets.iter().map(|it| it["refId"].as_str().unwrap()).collect();
        assert!(!targets.is_empty() && ids.len() == targets.len(), "{title}");
        assert!(targets.iter().all(|it| it["datasource"]["uid"] == "${datasource}"), "{title}");
    }
}

#[test]
fn no_panel_covers_another_and_every_row_is_full() {
    let dashboard = dashboard();
    let mut taken: BTreeMap<(u64, u64), &str> = BTreeMap::new();
    let mut bottom = 0;
    for panel in panels(&dashboard) {
        let title = panel["title"].as_str().unwrap();
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|it| panel["gridPos"][it].as_u64().unwrap());
        assert!(w > 0 && h > 0 && x + w <= 24, "{title}");
        for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert_eq!(taken.insert(cell, title), None, "{title} at {cell:?}");
        }
        bottom = bottom.max(y + h);
    }
    assert_eq!(taken.len() as u64, 24 * bottom, "no gaps");
}

#[test]
fn the_first_row_is_what_callers_saw_against_what_providers_did() {
    let dashboard = dashboard();
    let rows: Vec<_> = panels(&dashboard).filter(|panel| panel["type"] == "row").collect();
    assert_eq!(rows.len(), 7);
    let titles: Vec<_> = panels(&dashboard).map(|panel| panel["title"].as_str().unwrap()).collect();
    assert_eq!(titles[1..4], ["Errors that callers saw", "Errors upstream", "Errors absorbed"]);
}

// === with promtool, where it is installed ===

/// The output of promtool; `None` where it is not installed.
fn promtool(arguments: &[&str], folder: &Path) -> Option<String> {
    let output = match Command::new("promtool").args(arguments).current_dir(folder).output() {
        Ok(output) => output,
        Err(why) => {
            println!("skipped: promtool: {why}");
            return None;
        }
    };
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "{text}");
    Some(text)
}

#[test]
fn promtool_accepts_the_alerts_and_their_tests() {
    let folder = docs().join("prometheus");
    if let Some(text) = promtool(&["check", "rules", "alerts.yml"], &folder) {
        assert!(text.contains("11 rules found"), "{text}");
        promtool(&["test", "rules", "alerts_test.yml"], &folder);
    }
}

#[test]
fn promtool_accepts_every_expression_of_the_dashboard() {
    let expressions = panel_expressions(&dashboard());
    let rules = expressions.iter().enumerate().map(|(at, expression)| {
        let expression = expression.replace("$__rate_interval", "5m");
        serde_json::json!({ "record": format!("panel:{at}"), "expr": expression })
    });
    // JSON is YAML.
    let rules: Vec<_> = rules.collect();
    let file = serde_json::json!({ "groups": [{ "name": "panels", "rules": rules }] });
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::write(folder.join("panels.yml"), file.to_string()).unwrap();
    if let Some(text) = promtool(&["check", "rules", "panels.yml"], folder) {
        assert!(text.contains(&format!("{} rules found", expressions.len())), "{text}");
    }
}

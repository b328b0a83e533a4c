//! Faults on purpose: both keys are needed, `/healthz` says so, and SIGUSR2 ends them at once.
//!
//! The gateway runs as a process, which a signal can reach.
#![cfg(unix)]
// Where a test cannot go on, a panic is its failure.
#![allow(clippy::unwrap_used)]

use std::{path::PathBuf, process::Stdio, time::Duration};

use evenkeel_testkit::{Provider, Server};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

const LONG: Duration = Duration::from_secs(20);

/// The gateway as a process; ended with the test.
struct Gateway {
    url: String,
    child: Child,
    file: PathBuf,
}

// === impl Gateway ===

impl Gateway {
    async fn start(upstream: &str, rule: &str, arguments: &[&str]) -> Self {
        let name = format!("evenkeel-chaos-{}-{}.toml", std::process::id(), number_of(rule));
        let file = std::env::temp_dir().join(name);
        let text = format!(
            "upstream = \"{upstream}\"\n[limits]\ndeadline = 60\nattempt = 60\nretries = 0\n[chaos]\n[[chaos.rule]]\n{rule}\n"
        );
        std::fs::write(&file, text).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_evenkeel-gateway"))
            .args(["--listen", "127.0.0.1:0", "--config"])
            .arg(&file)
            .args(arguments)
            .env_remove("HTTP_PROXY")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(LONG, lines.next_line()).await.unwrap().unwrap().unwrap();
        let url = line.strip_prefix("listening on ").unwrap().to_owned();
        Self { url, child, file }
    }

    fn chat(&self) -> reqwest::RequestBuilder {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let body = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;
        client.post(format!("{}/v1/chat/completions", self.url)).body(body)
    }

    async fn chaos(&self) -> Value {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let health = client.get(format!("{}/healthz", self.url)).send().await.unwrap();
        let health: Value = serde_json::from_slice(&health.bytes().await.unwrap()).unwrap();
        health["chaos"].clone()
    }

    async fn kill_switch(&self) {
        let id = self.child.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-USR2", &id]).status().await.unwrap();
        assert!(sent.success());
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

/// A name that differs between the tests of this file.
fn number_of(rule: &str) -> usize {
    rule.bytes().map(usize::from).sum()
}

async fn upstream() -> Server {
    Server::start(Provider::new("primary")).await.unwrap()
}

fn origin(upstream: &Server) -> String {
    format!("http://{}", upstream.address())
}

#[tokio::test]
async fn sigusr2_ends_chaos_at_once_also_for_a_call_that_hangs() {
    let upstream = upstream().await;
    let gateway = Gateway::start(&origin(&upstream), "fault = \"hang\"", &["--chaos"]).await;
    assert_eq!(gateway.chaos().await, "on");
    let hanging = tokio::spawn(gateway.chat().send());
    sleep(Duration::from_millis(300)).await;
    assert!(!hanging.is_finished());
    gateway.kill_switch().await;
    let answer = timeout(LONG, hanging).await.unwrap().unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    let until = Instant::now() + LONG;
    while gateway.chaos().await != "off" {
        assert!(Instant::now() < until);
    }
    assert_eq!(gateway.chat().send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn an_answer_with_a_fault_says_so_to_the_caller() {
    let upstream = upstream().await;
    let gateway = Gateway::start(&origin(&upstream), "fault = \"status\"", &["--chaos"]).await;
    let answer = gateway.chat().send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["evenkeel-chaos"]),
        (503, &"status".parse().unwrap())
    );
}

#[tokio::test]
async fn without_the_second_key_nothing_is_injected_and_the_signal_changes_nothing() {
    let upstream = upstream().await;
    let gateway = Gateway::start(&origin(&upstream), "fault = \"quota\"", &[]).await;
    assert_eq!(gateway.chaos().await, Value::Null);
    gateway.kill_switch().await;
    let answer = gateway.chat().send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(!answer.headers().contains_key("evenkeel-chaos"));
}

//! The demonstration: 2 000 prompts through an outage on embedded providers, by a run that is killed three times and by a
//! plain retry loop.
//!
//! Providers and clients communicate over loopback sockets. A second of the outage lasts 0.1 s, and all time limits are scaled
//! in the same way.

mod killed_run;

use std::{
    collections::HashMap,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use evenkeel_testkit::{Incident, Provider, Scenario, Server, WORDS};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::BoxError;
use killed_run::FinishedRun;

const PROMPTS: usize = 2000;
const AT_ONCE: usize = 16;
const SCALE: f64 = 0.1;
/// The maximum of attempts on a primary that is down, as a share of those of the retry loop.
const MAX_ATTEMPT_SHARE: f64 = 0.05;
/// The time limit of the whole demonstration.
const TIME_LIMIT: Duration = Duration::from_secs(240);

/// The outage: the primary is down twice, the second time for half a minute together with the secondary.
const OUTAGE: &str = r#"{
  "name": "An outage for a pipeline",
  "phases_min": [
    {"from": 0, "to": 1, "provider": "healthy"},
    {"from": 1, "to": 1.5, "provider": "brownout"},
    {"from": 1.5, "to": 4, "provider": "down"},
    {"from": 4, "to": 4.5, "provider": "healthy"},
    {"from": 4.5, "to": 6, "provider": "down"},
    {"from": 6, "to": 15, "provider": "healthy"}
  ],
  "secondary_phases_min": [
    {"from": 0, "to": 4.5, "provider": "healthy"},
    {"from": 4.5, "to": 5, "provider": "down"},
    {"from": 5, "to": 15, "provider": "healthy"}
  ],
  "states": {
    "down": {
      "mix": [
        {"share": 0.5, "is": "status", "status": 502, "after_s": [0.1, 0.5]},
        {"share": 0.4, "is": "status", "status": 500, "after_s": [0.1, 0.5], "type": "server_error"},
        {"share": 0.1, "is": "reset"}
      ]
    }
  }
}"#;

/// Two providers on sockets that follow the outage.
struct Providers {
    primary: Server,
    secondary: Server,
    incident: Incident,
    start: Instant,
}

/// The figures of both runs.
struct Comparison {
    /// How often each prompt was answered.
    answers: HashMap<String, usize>,
    /// Answers of evenkeel that are not the complete text.
    incomplete: usize,
    /// Prompts answered by the retry loop.
    by_retry_loop: usize,
    /// Attempts of evenkeel on a primary that was down.
    ours_while_down: usize,
    /// Attempts of the retry loop on a primary that was down.
    theirs_while_down: usize,
    /// The time that the run of evenkeel took.
    took: Duration,
}

/// Runs the demonstration. Returns whether every prompt was answered once, with few attempts on a primary that was down.
pub(crate) fn run(seed: u64) -> Result<bool, BoxError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let folder = std::env::temp_dir().join(format!("evenkeel-pipeline-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let comparison = runtime.block_on(async {
        match tokio::time::timeout(TIME_LIMIT, compare(seed, &folder)).await {
            Ok(comparison) => comparison,
            Err(_) => Err(format!("the demonstration took longer than {TIME_LIMIT:?}").into()),
        }
    });
    runtime.shutdown_background();
    // Files that cannot be removed stay in the temporary folder of the system.
    let _ = std::fs::remove_dir_all(&folder);
    let comparison = comparison?;
    comparison.print();
    Ok(comparison.is_as_promised())
}

async fn compare(seed: u64, folder: &Path) -> Result<Comparison, BoxError> {
    println!("{PROMPTS} prompts, {AT_ONCE} at a time, through an outage; takes about a minute");
    let (ours, theirs) = (Providers::new(seed).await?, Providers::new(seed).await?);
    let by_retry_loop = AtomicUsize::new(0);
    let (FinishedRun { output, took }, ()) = tokio::try_join!(
        killed_run::run(&ours, folder, seed),
        retry_loop(&theirs, &by_retry_loop)
    )?;
    let (answers, incomplete) = answers(&output)?;
    Ok(Comparison {
        answers,
        incomplete,
        by_retry_loop: by_retry_loop.load(Ordering::Relaxed),
        ours_while_down: ours.attempts_while_down(),
        theirs_while_down: theirs.attempts_while_down(),
        took,
    })
}

/// How often each prompt is answered, and the number of answers that are not the complete text.
fn answers(output: &Path) -> Result<(HashMap<String, usize>, usize), BoxError> {
    let (mut answers, mut incomplete) = (HashMap::new(), 0);
    for line in std::fs::read_to_string(output)?.lines() {
        let line: Value = serde_json::from_str(line)?;
        let id = line["id"].as_str().ok_or("a line of the output has no id")?;
        *answers.entry(id.to_owned()).or_default() += 1;
        incomplete += usize::from(line["answer"] != WORDS);
    }
    Ok((answers, incomplete))
}

/// A pipeline without evenkeel: sends each prompt again, a second apart, until it is answered.
async fn retry_loop(providers: &Providers, answered: &AtomicUsize) -> Result<(), BoxError> {
    let client = reqwest::Client::builder().no_proxy().retry(reqwest::retry::never()).build()?;
    let url = format!("{}/v1/chat/completions", providers.primary.url());
    let next = Arc::new(AtomicUsize::new(0));
    let worker = async || {
        while next.fetch_add(1, Ordering::Relaxed) < PROMPTS {
            loop {
                if is_answered(&client, &url).await {
                    break;
                }
                sleep(Duration::from_secs(1).mul_f64(SCALE)).await;
            }
            answered.fetch_add(1, Ordering::Relaxed);
        }
    };
    futures_util::future::join_all((0..AT_ONCE).map(|_| worker())).await;
    Ok(())
}

/// Sends one prompt once. Returns whether the answer is complete.
async fn is_answered(client: &reqwest::Client, url: &str) -> bool {
    let body = r#"{"model":"m","messages":[{"role":"user","content":"Text"}]}"#;
    let time_limit = Duration::from_secs(60).mul_f64(SCALE);
    let text = match client.post(url).body(body).timeout(time_limit).send().await {
        Ok(response) if response.status().is_success() => response.text().await.ok(),
        _ => None,
    };
    text.is_some_and(|text| text.contains(WORDS))
}

// === impl Comparison ===

impl Comparison {
    fn answered_once(&self) -> usize {
        self.answers.values().filter(|count| **count == 1).count()
    }

    /// The attempts of evenkeel on a primary that was down, as a share of those of the retry loop.
    fn attempt_share(&self) -> f64 {
        self.ours_while_down as f64 / self.theirs_while_down as f64
    }

    fn is_as_promised(&self) -> bool {
        self.answered_once() == PROMPTS
            && self.answers.len() == PROMPTS
            && self.incomplete == 0
            && self.attempt_share() <= MAX_ATTEMPT_SHARE
    }

    fn print(&self) {
        let once = self.answered_once();
        let (ours, theirs) = (self.ours_while_down, self.theirs_while_down);
        let without = PROMPTS.saturating_sub(self.answers.len());
        println!("\n{:34} {:>12} {:>12}", "", "evenkeel", "retry loop");
        println!("{:34} {once:>12} {:>12}", "prompts answered once", self.by_retry_loop);
        println!("{:34} {:>12}", "answered more than once", self.answers.len() - once);
        println!("{:34} {without:>12}", "without an answer");
        println!("{:34} {:>12}", "incomplete answers", self.incomplete);
        println!("{:34} {ours:>12} {theirs:>12}", "attempts on a primary that is down");
        println!(
            "{:34} {:>11.1}%",
            "share of those of the retry loop",
            100.0 * self.attempt_share()
        );
        println!("{:34} {:>11.0}s", "time", self.took.as_secs_f64());
    }
}

// === impl Providers ===

impl Providers {
    async fn new(seed: u64) -> Result<Self, BoxError> {
        let incident = Incident::parse(OUTAGE)?;
        let harness = Scenario::new(incident.clone()).seed(seed).scale(SCALE).harness();
        let primary = Server::start(harness.primary().clone()).await?;
        let secondary = Server::start(harness.secondary().clone()).await?;
        harness.primary().start_clock();
        harness.secondary().start_clock();
        Ok(Self { primary, secondary, incident, start: Instant::now() })
    }

    /// Starts this program over the prompts, with these providers as its targets.
    fn start(&self, input: &Path, output: &Path) -> Result<Child, BoxError> {
        let url = |server: &Server| format!("{}/v1", server.url());
        let child = Command::new(std::env::current_exe()?)
            .arg("--in")
            .arg(input)
            .arg("--out")
            .arg(output)
            .args(["--url", &url(&self.primary), "--fallback-url", &url(&self.secondary)])
            .args(["--at-once", &AT_ONCE.to_string(), "--scale", &SCALE.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(child)
    }

    /// The number of attempts that reached the primary while it was down.
    fn attempts_while_down(&self) -> usize {
        let provider: &Provider = self.primary.provider();
        let is_down = |at: Instant| {
            let time = at.saturating_duration_since(self.start).div_f64(SCALE);
            self.incident.primary_at(time).is_down()
        };
        provider.attempts().iter().filter(|attempt| is_down(attempt.at)).count()
    }
}

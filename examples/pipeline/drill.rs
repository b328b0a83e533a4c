//! The demonstration: 2 000 prompts through an outage on embedded providers, by a run that is killed three times, and by a
//! plain retry loop beside it.
//!
//! Providers and clients talk over loopback sockets. A second of the outage lasts a tenth of one; so do all limits.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use evenkeel_testkit::{Incident, Provider, Scenario, Server, WORDS};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::Failure;

const PROMPTS: usize = 2000;
const AT_ONCE: usize = 16;
const SCALE: f64 = 0.1;
/// The most attempts on a dead primary, of those that the plain loop makes.
const MOST: f64 = 0.05;
/// How long all of it may take before it is given up.
const LONGEST: Duration = Duration::from_secs(240);

/// The outage: down twice, the second time together with the secondary for half a minute.
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

/// Two providers on sockets, which follow the outage.
struct Place {
    primary: Server,
    secondary: Server,
    incident: Incident,
    start: Instant,
}

/// Whether the run kept its promises.
pub(crate) fn run(seed: u64) -> Result<bool, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let folder = std::env::temp_dir().join(format!("evenkeel-pipeline-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let kept = runtime.block_on(async {
        match tokio::time::timeout(LONGEST, both(seed, &folder)).await {
            Ok(kept) => kept,
            Err(_) => Err(format!("it has not ended within {LONGEST:?}").into()),
        }
    });
    runtime.shutdown_background();
    // What the system keeps in its folder for a while does no harm.
    let _ = std::fs::remove_dir_all(&folder);
    kept
}

async fn both(seed: u64, folder: &Path) -> Result<bool, Failure> {
    println!("{PROMPTS} prompts, {AT_ONCE} at a time, through an outage; about a minute");
    let (ours, plain) = (Place::new(seed).await?, Place::new(seed).await?);
    let count = AtomicUsize::new(0);
    let (run, ()) = tokio::try_join!(killed(&ours, folder, seed), retry_loop(&plain, &count))?;
    let (output, took) = run;
    let (answers, wrong) = answers(&output)?;
    let once = answers.values().filter(|count| **count == 1).count();
    let (few, many) = (ours.on_the_dead(), plain.on_the_dead());
    let share = few as f64 / many as f64;
    println!("\n{:28} {:>12} {:>12}", "", "evenkeel", "retry loop");
    println!("{:28} {once:>12} {:>12}", "prompts answered once", count.load(Ordering::Relaxed));
    println!("{:28} {:>12}", "answered more than once", answers.len() - once);
    println!("{:28} {:>12}", "without an answer", PROMPTS.saturating_sub(answers.len()));
    println!("{:28} {wrong:>12}", "answers that are not whole");
    println!("{:28} {few:>12} {many:>12}", "attempts on a dead primary");
    println!("{:28} {:>11.1}%", "of those of the retry loop", 100.0 * share);
    println!("{:28} {:>11.0}s", "took", took.as_secs_f64());
    Ok(once == PROMPTS && answers.len() == PROMPTS && wrong == 0 && share <= MOST)
}

/// Runs this program on the prompts, kills it three times at random, and starts it again each time.
async fn killed(place: &Place, folder: &Path, seed: u64) -> Result<(PathBuf, Duration), Failure> {
    let (input, output) = (folder.join("prompts.jsonl"), folder.join("answers.jsonl"));
    let prompts =
        (0..PROMPTS).map(|n| json!({"id": format!("p{n}"), "prompt": format!("Text {n}")}));
    let lines: Vec<_> = prompts.map(|prompt| prompt.to_string()).collect();
    std::fs::write(&input, lines.join("\n"))?;
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut kills: Vec<_> = (0..3).map(|_| dice.usize(PROMPTS / 20..PROMPTS * 9 / 10)).collect();
    kills.sort_unstable();
    for kill in kills {
        let mut child = Running(place.start(&input, &output)?);
        while written(&output) < kill {
            if let Some(status) = child.0.try_wait()? {
                return Err(format!("it ended by itself: {status}").into());
            }
            sleep(Duration::from_millis(10)).await;
        }
        child.0.kill()?;
        child.0.wait()?;
        println!("killed after {} answers", written(&output));
    }
    let mut child = Running(place.start(&input, &output)?);
    let status = loop {
        match child.0.try_wait()? {
            Some(status) => break status,
            None => sleep(Duration::from_millis(50)).await,
        }
    };
    if !status.success() {
        return Err(format!("the last run ended with {status}").into());
    }
    Ok((output, place.start.elapsed()))
}

/// A child; it does not outlive us.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How many whole lines there are.
fn written(output: &Path) -> usize {
    let bytes = std::fs::read(output).unwrap_or_default();
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

/// How often each prompt is answered, and how many answers are not the whole text.
fn answers(output: &Path) -> Result<(HashMap<String, usize>, usize), Failure> {
    let (mut answers, mut wrong) = (HashMap::new(), 0);
    for line in std::fs::read_to_string(output)?.lines() {
        let line: Value = serde_json::from_str(line)?;
        let id = line["id"].as_str().ok_or("a line without an id")?;
        *answers.entry(id.to_owned()).or_default() += 1;
        wrong += usize::from(line["answer"] != WORDS);
    }
    Ok((answers, wrong))
}

/// What pipelines have without evenkeel: ask until there is an answer, a second apart.
async fn retry_loop(place: &Place, answered: &AtomicUsize) -> Result<(), Failure> {
    let client = reqwest::Client::builder().no_proxy().retry(reqwest::retry::never()).build()?;
    let url = format!("{}/v1/chat/completions", place.primary.url());
    let next = Arc::new(AtomicUsize::new(0));
    let worker = || async {
        while next.fetch_add(1, Ordering::Relaxed) < PROMPTS {
            loop {
                let body = r#"{"model":"m","messages":[{"role":"user","content":"Text"}]}"#;
                let request =
                    client.post(&url).body(body).timeout(Duration::from_secs(60).mul_f64(SCALE));
                let text = match request.send().await {
                    Ok(response) if response.status().is_success() => response.text().await.ok(),
                    _ => None,
                };
                if text.is_some_and(|text| text.contains(WORDS)) {
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

// === impl Place ===

impl Place {
    async fn new(seed: u64) -> Result<Self, Failure> {
        let incident = Incident::parse(OUTAGE)?;
        let stage = Scenario::new(incident.clone()).seed(seed).scale(SCALE).stage();
        let primary = Server::start(stage.primary().clone()).await?;
        let secondary = Server::start(stage.secondary().clone()).await?;
        stage.primary().start_clock();
        stage.secondary().start_clock();
        Ok(Self { primary, secondary, incident, start: Instant::now() })
    }

    fn start(&self, input: &Path, output: &Path) -> Result<Child, Failure> {
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

    /// The attempts that the primary saw while it was down.
    fn on_the_dead(&self) -> usize {
        let provider: &Provider = self.primary.provider();
        let down = |at: Instant| {
            let time = at.saturating_duration_since(self.start).div_f64(SCALE);
            self.incident.primary_at(time).is_down()
        };
        provider.attempts().iter().filter(|attempt| down(attempt.at)).count()
    }
}

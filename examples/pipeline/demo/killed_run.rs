//! The run of evenkeel: this program over the prompts, killed three times.

use std::{
    path::{Path, PathBuf},
    process::Child,
    time::Duration,
};

use serde_json::json;
use tokio::time::sleep;

use super::{BoxError, PROMPTS, Providers};

/// The output of the run and the time that it took.
pub(super) struct FinishedRun {
    pub(super) output: PathBuf,
    pub(super) took: Duration,
}

/// Runs this program over the prompts, kills it three times at random and lets the fourth start run to its end.
pub(super) async fn run(
    providers: &Providers,
    folder: &Path,
    seed: u64,
) -> Result<FinishedRun, BoxError> {
    let (input, output) = (folder.join("prompts.jsonl"), folder.join("answers.jsonl"));
    write_prompts(&input)?;
    let mut random = fastrand::Rng::with_seed(seed);
    let mut kills: Vec<_> = (0..3).map(|_| random.usize(PROMPTS / 20..PROMPTS * 9 / 10)).collect();
    kills.sort_unstable();
    for answers in kills {
        let child = ChildGuard(providers.start(&input, &output)?);
        kill_after(child, &output, answers).await?;
        println!("killed after {} answers", complete_lines(&output));
    }
    let mut child = ChildGuard(providers.start(&input, &output)?);
    let status = loop {
        match child.0.try_wait()? {
            Some(status) => break status,
            None => sleep(Duration::from_millis(50)).await,
        }
    };
    if !status.success() {
        return Err(format!("the last run failed: {status}").into());
    }
    Ok(FinishedRun { output, took: providers.start.elapsed() })
}

fn write_prompts(input: &Path) -> Result<(), BoxError> {
    let prompts =
        (0..PROMPTS).map(|n| json!({"id": format!("p{n}"), "prompt": format!("Text {n}")}));
    let lines: Vec<_> = prompts.map(|prompt| prompt.to_string()).collect();
    Ok(std::fs::write(input, lines.join("\n"))?)
}

/// Kills the child when the output has that many answers.
async fn kill_after(mut child: ChildGuard, output: &Path, answers: usize) -> Result<(), BoxError> {
    while complete_lines(output) < answers {
        if let Some(status) = child.0.try_wait()? {
            return Err(format!("the run ended before it was killed: {status}").into());
        }
        sleep(Duration::from_millis(10)).await;
    }
    child.0.kill()?;
    child.0.wait()?;
    Ok(())
}

/// Kills the child process on drop, so that it does not outlive this process.
struct ChildGuard(Child);

impl Drop for ChildGuard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The number of complete lines of the output.
fn complete_lines(output: &Path) -> usize {
    let bytes = std::fs::read(output).unwrap_or_default();
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

//! The provider's process: whole answers, a fault for each call in turn, or streams that stay open.

use std::{io::Write, path::Path, time::Duration};

use clap::ValueEnum;
use evenkeel_testkit::{Fault, Provider, Reply, Server};
use tokio::time::sleep;

use super::process::{Any, Process};

/// The provider's process.
#[derive(clap::Args, Debug)]
pub(crate) struct Provide {
    behaviour: Behaviour,
    /// For how many seconds there are faults.
    #[arg(long, default_value_t = 0)]
    seconds: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Behaviour {
    Answers,
    Faults,
    Stalls,
}

/// How long a fault stays the reply.
const STEP: Duration = Duration::from_millis(40);

// === impl Provide ===

impl Provide {
    /// Serves until the standard input closes, when the parent ends.
    pub(crate) async fn run(self) -> Result<(), Any> {
        let provider = Provider::new("primary").always(match self.behaviour {
            Behaviour::Answers | Behaviour::Faults => Reply::answer(),
            Behaviour::Stalls => Reply::answer().with(Fault::stall(20)),
        });
        let server = Server::start(provider.clone()).await?;
        println!("{}", server.url());
        std::io::stdout().flush()?;
        if matches!(self.behaviour, Behaviour::Faults) {
            tokio::spawn(alternate(provider, Duration::from_secs(self.seconds)));
        }
        tokio::task::spawn_blocking(|| std::io::stdin().lines().count()).await?;
        Ok(())
    }

    /// Starts the process.
    pub(crate) fn start(behaviour: &str, seconds: u64) -> Result<Process, Any> {
        let program = std::env::current_exe()?;
        let seconds = seconds.to_string();
        Process::start(Path::new(&program), &["provide", behaviour, "--seconds", &seconds])
    }
}

/// One fault after another, in an order that is the same in every run; every other step is healthy.
async fn alternate(provider: Provider, lasts: Duration) {
    let faults = faults();
    let steps = lasts.as_millis() / (2 * STEP.as_millis());
    for step in 0..steps as usize {
        // 7 is prime to their number, so that neighbours differ in kind.
        provider.set(faults[(step * 7) % faults.len()].clone());
        sleep(STEP).await;
        provider.set(Reply::answer());
        sleep(STEP).await;
    }
    provider.set(Reply::answer());
}

/// Every fault of the testkit, each as bounded as a gateway with short limits needs it.
fn faults() -> Vec<Reply> {
    let answer = Reply::answer;
    let second = Duration::from_secs(1);
    let millisecond = Duration::from_millis(1);
    let error_event = Fault::server_error(10);
    vec![
        Reply::status(500),
        Reply::status(503),
        Reply::status(529),
        Reply::rate_limited(Some(second)),
        Reply::rate_limited(None),
        Reply::context_length_exceeded(),
        Reply::content_policy_violation(),
        Reply::error(401, "invalid_request_error", "invalid_api_key"),
        Reply::error(404, "invalid_request_error", "model_not_found"),
        Reply::reset(),
        Reply::hang(),
        Reply::empty(),
        Reply::html(),
        answer().with(Fault::Closed),
        answer().with(Fault::ResetAfter { bytes: 500 }),
        answer().with(Fault::Cut { words: 40 }),
        answer().with(Fault::stall(20)),
        answer().with(Fault::Silence { words: 20, lasts: second }),
        answer().with(Fault::InvalidEvent { event: 5 }),
        answer().with(Fault::NotStreamed),
        answer().with(Fault::Endless { every: millisecond }),
        answer().with(Fault::NoDone),
        answer().with(Fault::NoFinish),
        answer().with(error_event),
        answer().with(Fault::Drip { bytes: 64, every: millisecond }),
        answer().with(Fault::Comments { every: millisecond * 100, count: 3 }),
        answer().head_after(second),
        answer().first_content_after(second),
    ]
}

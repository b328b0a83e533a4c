//! The run: sends several prompts at a time and writes each answer as soon as it is complete.

use std::fmt;

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::signal::ctrl_c;

use super::{
    BoxError,
    ask::{PromptResult, ask},
    bar::Bar,
    input::{Prompt, Prompts},
    journal::Journal,
    options::Options,
};

/// The result of a run.
#[derive(Debug)]
pub(crate) struct RunSummary {
    total: usize,
    answered: usize,
    pub(crate) failed: usize,
    /// Whether Ctrl-C stopped the run before its end.
    pub(crate) stopped: bool,
    /// The path of the list of failures.
    failures: String,
}

/// Answers the prompts that have no answer yet.
pub(crate) async fn run(options: &Options) -> Result<RunSummary, BoxError> {
    let total = Prompts::check(&options.input)?;
    let mut journal = Journal::open(&options.output)?;
    let bar = Bar::new(total, journal.len().min(total));
    let client = options.client(bar.clone())?;
    let mut prompts = Prompts::open(&options.input)?;
    let mut in_flight = FuturesUnordered::new();
    let (mut failed, mut stopped) = (0, false);
    let mut interrupt = std::pin::pin!(ctrl_c());
    loop {
        while in_flight.len() < options.at_once {
            let Some(prompt) = next_unanswered(&mut prompts, &journal)? else { break };
            let client = &client;
            in_flight.push(async move {
                let result = ask(client, &prompt, &options.model).await;
                (prompt.id, result)
            });
        }
        let (id, result) = tokio::select! {
            biased;
            _ = &mut interrupt => {
                stopped = true;
                break;
            }
            done = in_flight.next() => match done {
                Some(done) => done,
                None => break,
            },
        };
        match result? {
            PromptResult::Answered(line) => journal.answer(&id, &line)?,
            PromptResult::Failed(line) => {
                failed += 1;
                journal.failure(&line)?;
            }
        }
        bar.advance();
    }
    bar.finish();
    let failures = journal.failures_path().display().to_string();
    Ok(RunSummary { total, answered: journal.len(), failed, stopped, failures })
}

/// The next prompt without an answer.
fn next_unanswered(prompts: &mut Prompts, journal: &Journal) -> Result<Option<Prompt>, BoxError> {
    while let Some(prompt) = prompts.next()? {
        if !journal.has(&prompt.id) {
            return Ok(Some(prompt));
        }
    }
    Ok(None)
}

// === impl RunSummary ===

impl fmt::Display for RunSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} prompts are answered", self.answered, self.total)?;
        if self.failed > 0 {
            write!(f, "; {} could not be answered: see {}", self.failed, self.failures)?;
        }
        if self.stopped {
            f.write_str("; stopped: start the same command again to continue")?;
        }
        Ok(())
    }
}

//! The work: so many prompts at a time, each answer written as soon as it is there.

use std::fmt;

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::signal::ctrl_c;

use super::{
    Failure,
    ask::{Came, ask},
    bar::Bar,
    input::{Prompt, Prompts},
    journal::Journal,
    options::Options,
};

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Done {
    all: usize,
    answered: usize,
    pub(crate) failed: usize,
    /// Somebody asked it to stop before the end.
    pub(crate) stopped: bool,
    list: String,
}

/// Answers what has no answer yet.
pub(crate) async fn run(options: &Options) -> Result<Done, Failure> {
    let all = Prompts::check(&options.input)?;
    let mut journal = Journal::open(&options.output)?;
    let bar = Bar::new(all, journal.len().min(all));
    let client = options.client(bar.clone())?;
    let mut prompts = Prompts::open(&options.input)?;
    let mut under_way = FuturesUnordered::new();
    let (mut failed, mut stopped) = (0, false);
    let mut stop = std::pin::pin!(ctrl_c());
    loop {
        while under_way.len() < options.at_once {
            let Some(prompt) = next(&mut prompts, &journal)? else { break };
            let client = &client;
            under_way.push(async move {
                let came = ask(client, &prompt, &options.model).await;
                (prompt.id, came)
            });
        }
        let (id, came) = tokio::select! {
            biased;
            _ = &mut stop => {
                stopped = true;
                break;
            }
            ended = under_way.next() => match ended {
                Some(ended) => ended,
                None => break,
            },
        };
        match came? {
            Came::Answered(line) => journal.answer(&id, &line)?,
            Came::Failed(line) => {
                failed += 1;
                journal.failure(&line)?;
            }
        }
        bar.step();
    }
    bar.end();
    let list = journal.failed().display().to_string();
    Ok(Done { all, answered: journal.len(), failed, stopped, list })
}

/// The next prompt without an answer.
fn next(prompts: &mut Prompts, journal: &Journal) -> Result<Option<Prompt>, Failure> {
    while let Some(prompt) = prompts.next()? {
        if !journal.has(&prompt.id) {
            return Ok(Some(prompt));
        }
    }
    Ok(None)
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} prompts have their answers", self.answered, self.all)?;
        if self.failed > 0 {
            write!(f, "; {} could not be answered: see {}", self.failed, self.list)?;
        }
        if self.stopped {
            f.write_str("; stopped: start it again to go on")?;
        }
        Ok(())
    }
}

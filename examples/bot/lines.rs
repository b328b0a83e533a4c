//! Line by line: for pipes.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    thread,
};

use evenkeel::breaker::Changes;
use tokio::sync::mpsc;

use crate::{
    answers::QUESTIONS,
    assistant::{Assistant, LIMITS, Said},
    command::{Command, HELP},
    shop::Shop,
    why,
};

/// What is written, line by line.
struct Log {
    shop: Shop,
    assistant: Assistant,
    changes: Changes,
}

/// Reads lines to the end, or to `/quit`.
pub(crate) async fn run(shop: Shop, assistant: Assistant) -> io::Result<()> {
    let changes = assistant.breakers().watch();
    let mut log = Log { shop, assistant, changes };
    let echo = !io::stdin().is_terminal();
    LIMITS.iter().try_for_each(|line| note(line))?;
    note(HELP)?;
    note(&format!("a question might be: {}", QUESTIONS[0]))?;
    let mut lines = typed();
    loop {
        tokio::select! {
            // What has happened is told before the next line.
            biased;
            Some(change) = log.changes.next() => note(&why::changed(&change, &log.shop))?,
            line = lines.recv() => {
                let Some(line) = line.transpose()? else { return Ok(()) };
                if !log.obey(&line, echo).await? {
                    return Ok(());
                }
            }
        }
    }
}

// === impl Log ===

impl Log {
    /// Does what a line says. Whether to go on.
    async fn obey(&mut self, line: &str, echo: bool) -> io::Result<bool> {
        match Command::read(line) {
            Command::Nothing => {}
            Command::Quit => return Ok(false),
            Command::Turn(at, mood) => {
                let host = &mut self.shop.0[at];
                host.turn(mood);
                note(&format!("{} is now {}", host.name, mood.says()))?;
            }
            Command::Unknown(what) => note(&format!("no such command: {what}; {HELP}"))?,
            Command::Ask(question) => {
                if echo {
                    writeln!(io::stdout(), "you  {question}")?;
                }
                self.ask(question).await?;
            }
        }
        Ok(true)
    }

    async fn ask(&mut self, question: String) -> io::Result<()> {
        self.shop.expect(&question);
        let (say, mut said) = mpsc::channel(64);
        let mut call = Box::pin(self.assistant.clone().answer(question, say));
        let mut done = false;
        let mut column = 0;
        let mut notes = Vec::new();
        let mut out = io::stdout();
        loop {
            tokio::select! {
                piece = said.recv() => match piece {
                    Some(Said::Words(words)) => {
                        let start = if column == 0 { "bot  " } else { "" };
                        column += words.len();
                        write!(out, "{start}{words}")?;
                        out.flush()?;
                    }
                    Some(Said::Sorry(text)) => {
                        let end = if column == 0 { "" } else { "…\n" };
                        column = 0;
                        writeln!(out, "{end}bot  {text}")?;
                    }
                    Some(Said::Why(text)) => {
                        let end = if column == 0 { "" } else { "\n" };
                        writeln!(out, "{end}     ↳ {text}")?;
                    }
                    None => break,
                },
                () = &mut call, if !done => done = true,
                // In the middle of an answer a note would tear it apart.
                Some(change) = self.changes.next() => notes.push(why::changed(&change, &self.shop)),
            }
        }
        notes.iter().try_for_each(|text| note(text))
    }
}

fn note(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "   · {text}")
}

/// The lines of standard input, whatever bytes they are.
fn typed() -> mpsc::Receiver<io::Result<String>> {
    let (send, lines) = mpsc::channel(1);
    // Not one of the runtime's own threads: it would wait for the next line before it ends.
    thread::spawn(move || {
        for line in io::stdin().lock().split(b'\n') {
            let line =
                line.map(|bytes| String::from_utf8_lossy(&bytes).replace(char::is_control, " "));
            if send.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

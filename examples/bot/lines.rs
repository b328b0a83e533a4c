//! The bot on a pipe: reads lines and prints lines.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    thread,
};

use evenkeel::breaker::Changes;
use tokio::sync::mpsc;

use crate::{
    answers::QUESTIONS,
    assistant::{AnswerPart, Assistant, LIMITS_TEXT},
    command::{Command, HELP},
    explanation,
    providers::Providers,
};

/// The conversation on a pipe.
struct LineSession {
    providers: Providers,
    assistant: Assistant,
    changes: Changes,
}

/// Runs until the end of the input or `/quit`.
pub(crate) async fn run(providers: Providers, assistant: Assistant) -> io::Result<()> {
    let changes = assistant.breakers().watch();
    let mut session = LineSession { providers, assistant, changes };
    let echo = !io::stdin().is_terminal();
    LIMITS_TEXT.iter().try_for_each(|line| note(line))?;
    note(HELP)?;
    note(&format!("an example question: {}", QUESTIONS[0]))?;
    let mut lines = input_lines();
    loop {
        tokio::select! {
            // A change of a breaker is printed before the next line is read.
            biased;
            Some(change) = session.changes.next() => note(&explanation::of_change(&change, &session.providers))?,
            line = lines.recv() => {
                let Some(line) = line.transpose()? else { return Ok(()) };
                if !session.execute(&line, echo).await? {
                    return Ok(());
                }
            }
        }
    }
}

// === impl LineSession ===

impl LineSession {
    /// Executes one line. Returns whether the session continues.
    async fn execute(&mut self, line: &str, echo: bool) -> io::Result<bool> {
        match Command::read(line) {
            Command::Empty => {}
            Command::Quit => return Ok(false),
            Command::SetMode(role, mode) => {
                let provider = self.providers.get_mut(role);
                provider.set_mode(mode);
                note(&format!("{} is now {}", provider.name, mode.describe()))?;
            }
            Command::Unknown(line) => note(&format!("unknown command: {line}; {HELP}"))?,
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
        self.providers.prepare_answers(&question);
        let (sender, mut parts) = mpsc::channel(64);
        let mut call = Box::pin(self.assistant.clone().answer(question, sender));
        let mut done = false;
        let mut printer = AnswerPrinter::default();
        let mut notes = Vec::new();
        loop {
            tokio::select! {
                part = parts.recv() => match part {
                    Some(part) => printer.print(part)?,
                    None => break,
                },
                () = &mut call, if !done => done = true,
                // A note waits for the end of the answer.
                Some(change) = self.changes.next() => {
                    notes.push(explanation::of_change(&change, &self.providers));
                }
            }
        }
        notes.iter().try_for_each(|text| note(text))
    }
}

/// Prints the parts of one answer.
#[derive(Default)]
struct AnswerPrinter {
    /// Whether the current line has words of the answer.
    in_line: bool,
}

// === impl AnswerPrinter ===

impl AnswerPrinter {
    fn print(&mut self, part: AnswerPart) -> io::Result<()> {
        let mut out = io::stdout();
        match part {
            AnswerPart::Words(words) => {
                let start = if self.in_line { "" } else { "bot  " };
                self.in_line = true;
                write!(out, "{start}{words}")?;
                out.flush()
            }
            AnswerPart::Apology(text) => {
                let end = if self.in_line { "…\n" } else { "" };
                self.in_line = false;
                writeln!(out, "{end}bot  {text}")
            }
            AnswerPart::Explanation(text) => {
                let end = if self.in_line { "\n" } else { "" };
                writeln!(out, "{end}     ↳ {text}")
            }
        }
    }
}

fn note(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "   · {text}")
}

/// The lines of standard input. Invalid UTF-8 and control characters are replaced.
fn input_lines() -> mpsc::Receiver<io::Result<String>> {
    let (send, lines) = mpsc::channel(1);
    // The runtime would wait at its end for a blocking thread of its own, until the next line.
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

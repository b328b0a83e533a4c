//! An outage of an AI API, replayed against four clients: a plain one, one with the official SDKs' retries, evenkeel, and
//! evenkeel with a step for every loss.
//!
//!     cargo run --release --example outage
//!
//! It starts a primary that follows the incident and a secondary, on loopback sockets, condenses the day to about 40 s,
//! and sends the same calls through each client. `--virtual` plays the day at full length in virtual time instead.
//! `--incident brownout-20` is the commonest bad day, and `--alone` plays evenkeel without a fallback on it.
//! `--incident tool-gone` is another kind of bad day: the provider is well, but for whoever brings one of its tools.

mod check;
mod clients;
mod clock;
mod descriptors;
mod journal;
mod live;
mod options;
mod plan;
mod play;
mod progress;
mod report;
mod table;
mod virtual_time;
mod words;

use std::{
    io::{ErrorKind, Write},
    path::Path,
    process::ExitCode,
};

use options::{HELP, Options};
use play::{Failure, Played};
use progress::Bars;
use tokio::time::Instant;

fn main() -> ExitCode {
    let options = match Options::read(std::env::args_os().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => return code(say(HELP)),
        Err(line) => {
            eprintln!("outage: {line}");
            return ExitCode::from(2);
        }
    };
    code(run(&options))
}

fn code(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("outage: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Failure> {
    let start = Instant::now();
    let played = play::all(&options.plan, &Bars::new(&options.plan, options.json))?;
    let took = start.elapsed();
    if options.json {
        say(&serde_json::to_string(&played.report)?)?;
    } else {
        say(&table::table(&played))?;
    }
    if let Some(file) = &options.report {
        write(file, &played)?;
        if !options.json {
            say(&format!("The report is in {}", file.display()))?;
        }
    }
    let missed = match options.check {
        true => check::missed(&played.report, &played.plan, took),
        false => Vec::new(),
    };
    if missed.is_empty() { Ok(()) } else { Err(missed.join("; ").into()) }
}

fn write(file: &Path, played: &Played) -> Result<(), Failure> {
    let page = report::page(played)?;
    std::fs::write(file, page).map_err(|error| format!("{}: {error}", file.display()).into())
}

/// Says it on standard output. Whoever closed that does not want to hear more.
fn say(text: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

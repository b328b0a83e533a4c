//! Replays an outage of an AI API against four clients: a plain client, a client with the retries of the official SDKs,
//! evenkeel, and evenkeel with more fallbacks (`steps`).
//!
//!     cargo run --release --example outage
//!
//! The example starts a primary that follows the incident and a secondary, both on loopback sockets, condenses the incident
//! to about 40 s and sends the same calls through each client. `--virtual` plays the incident at full length in virtual time
//! instead. `--incident brownout-20` is the most common kind of incident, and `--alone` runs evenkeel without a fallback.
//! In `--incident tool-gone` the provider fails only the calls with one of its tools.

mod breaker_log;
mod check;
mod cli;
mod clients;
mod clock;
mod descriptors;
mod live;
mod numbers;
mod options;
mod plan;
mod play;
mod progress;
mod report;
mod summary;
mod table;
mod virtual_time;

use std::{
    io::{ErrorKind, Write},
    path::Path,
    process::ExitCode,
};

use cli::HELP;
use options::Options;
use play::{BoxError, RunResult};
use progress::Bars;
use tokio::time::Instant;

fn main() -> ExitCode {
    let options = match Options::read(std::env::args_os().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => return exit_code(print(HELP)),
        Err(line) => {
            eprintln!("outage: {line}");
            return ExitCode::from(2);
        }
    };
    exit_code(run(&options))
}

fn exit_code(result: Result<(), BoxError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("outage: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), BoxError> {
    let start = Instant::now();
    let result = play::all_clients(&options.plan, &Bars::new(&options.plan, options.json))?;
    let run_time = start.elapsed();
    if options.json {
        print(&serde_json::to_string(&result.report)?)?;
    } else {
        print(&table::table(&result))?;
    }
    if let Some(file) = &options.report {
        write_report(file, &result)?;
        if !options.json {
            print(&format!("The report is in {}", file.display()))?;
        }
    }
    let violations = match options.check {
        true => check::violations(&result, run_time),
        false => Vec::new(),
    };
    if violations.is_empty() { Ok(()) } else { Err(violations.join("; ").into()) }
}

fn write_report(file: &Path, result: &RunResult) -> Result<(), BoxError> {
    let page = report::page(result)?;
    std::fs::write(file, page).map_err(|error| format!("{}: {error}", file.display()).into())
}

/// Prints a line to standard output. A closed pipe is not an error.
fn print(text: &str) -> Result<(), BoxError> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

//! An outage of an AI API, replayed against three clients: a plain one, one with the official SDKs' retries, and evenkeel.
//!
//!     cargo run --release --example outage
//!
//! It starts a primary that follows the incident and a secondary, on loopback sockets, condenses the day to about 40 s,
//! and sends the same calls through each client. `--virtual` plays the day at full length in virtual time instead.

mod clients;
mod options;
mod virtual_time;

use std::process::ExitCode;

use evenkeel::testkit::Drill;
use options::{HELP, Options};

fn main() -> ExitCode {
    let options = match Options::read(std::env::args_os().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(line) => {
            eprintln!("outage: {line}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("outage: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let drill = Drill::new(options.incident.clone()).seed(options.seed).rate(options.rate);
    let played = virtual_time::play(&drill)?;
    let report = drill.report(played);
    if options.json {
        println!("{}", serde_json::to_string(&report)?);
    }
    for f in &report.clients {
        eprintln!("{} {:?}", f.name, f.reasons);
    }
    Ok(())
}

//! What the command line says.

use std::{ffi::OsString, path::PathBuf};

use evenkeel::testkit::Incident;
use lexopt::{Arg, Parser, ValueExt};

/// How the outage is played.
#[derive(Debug)]
pub(crate) struct Options {
    /// The incident: 4 June 2024 unless a file is given.
    pub(crate) incident: Incident,
    /// At full length in virtual time, in process, instead of condensed over sockets.
    pub(crate) in_virtual_time: bool,
    /// One JSON object on standard output and nothing else.
    pub(crate) json: bool,
    /// The seed of arrivals and faults.
    pub(crate) seed: u64,
    /// Calls a minute of the incident.
    pub(crate) rate: f64,
    /// Where the report goes.
    pub(crate) report: Option<PathBuf>,
}

/// What is printed for `--help`.
pub(crate) const HELP: &str = "\
Replays an outage of an AI API against three clients: a plain one, one with the official SDKs' retries, and evenkeel.

    cargo run --release --example outage -- [OPTIONS]

    --incident FILE   the outage, as JSON (default: ChatGPT, 4 June 2024)
    --virtual         at full length in virtual time, in process (default: condensed to seconds, over sockets)
    --json            one JSON object on standard output, nothing else there
    --seed N          of arrivals and faults (default: 1)
    --rate N          calls a minute of the incident, more than 0, at most 6000 (default: 60)
    --report FILE     where the HTML report goes (default: outage.html; with --json none)
    --help            this text";

impl Options {
    /// Reads the command line; `None`: help was asked for. The error is one line.
    pub(crate) fn read(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Option<Self>, String> {
        let mut options = Self {
            incident: Incident::openai_2024_06_04(),
            in_virtual_time: false,
            json: false,
            seed: 1,
            rate: 60.0,
            report: None,
        };
        let mut parser = Parser::from_args(arguments);
        while let Some(argument) = parser.next().map_err(one_line)? {
            match argument {
                Arg::Long("incident") => {
                    let file = PathBuf::from(parser.value().map_err(one_line)?);
                    options.incident = Incident::read(file).map_err(one_line)?;
                }
                Arg::Long("virtual") => options.in_virtual_time = true,
                Arg::Long("json") => options.json = true,
                Arg::Long("seed") => {
                    let seed = parser.value().map_err(one_line)?;
                    options.seed = seed.parse().map_err(|_| {
                        format!(
                            "--seed is {seed:?}; allowed is a whole number from 0 to {}",
                            u64::MAX
                        )
                    })?;
                }
                Arg::Long("rate") => options.rate = rate(parser.value().map_err(one_line)?)?,
                Arg::Long("report") => {
                    options.report = Some(parser.value().map_err(one_line)?.into());
                }
                Arg::Long("help") | Arg::Short('h') => return Ok(None),
                other => return Err(one_line(other.unexpected())),
            }
        }
        if options.report.is_none() && !options.json {
            options.report = Some("outage.html".into());
        }
        Ok(Some(options))
    }
}

fn rate(value: OsString) -> Result<f64, String> {
    let number = value.to_str().and_then(|text| text.parse::<f64>().ok());
    number.filter(|rate| *rate > 0.0 && *rate <= 6000.0).ok_or_else(|| {
        format!("--rate is {value:?}; allowed is a number of calls a minute above 0, at most 6000")
    })
}

fn one_line(error: impl std::fmt::Display) -> String {
    error.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

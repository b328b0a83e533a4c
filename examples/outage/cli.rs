//! The command line: help and parsing.

use std::{ffi::OsString, path::PathBuf};

use evenkeel_testkit::Incident;
use lexopt::{Arg, Parser, ValueExt};

/// The arguments as given; `None` where an option is absent.
#[derive(Default)]
pub(crate) struct CliArgs {
    pub(crate) incident: Option<Incident>,
    pub(crate) in_virtual_time: bool,
    pub(crate) alone: bool,
    pub(crate) json: bool,
    pub(crate) check: bool,
    pub(crate) seed: Option<u64>,
    pub(crate) rate: Option<f64>,
    pub(crate) report: Option<PathBuf>,
}

/// The text of `--help`.
pub(crate) const HELP: &str = "\
Replays an outage of an AI API against four clients: a plain client, a client with the retries of the official SDKs,
evenkeel, and evenkeel with more fallbacks: without a tool, a small model, a secondary, a stored answer, a canned reply.

    cargo run --release --example outage -- [OPTIONS]

By default the incident runs over loopback sockets, condensed to 400 s and ten times as fast: 40 s in total.

    --incident WHICH  the incident: openai-2024-06-04 (default), openai-2024-12-11, tool-gone, brownout-10, brownout-20,
                      brownout-30, slow-but-well, quiet-bot, noisy-neighbour, node-replaced, or the path of a JSON file
    --alone           run evenkeel without a fallback
    --virtual         run in process and in virtual time, at full length; takes a few seconds
    --json            print one JSON object and nothing else to standard output
    --seed N          the seed of arrivals, faults and jitter (default: 1)
    --rate N          calls per minute of the incident, above 0 and at most 6000 (default: the rate of the incident, or
                      else 300; with --virtual 60)
    --report FILE     the file for the HTML report (default: outage.html; with --json no report)
    --check           with --virtual: exit with status 1 and name each bound that evenkeel or steps exceeds. The bounds
                      are in the file of the incident. Without bounds in the file: no errors, no late and no hung calls;
                      while the primary is down, attempts on it for at most 5 % of the calls; an outage detected within
                      15 s; the primary in use again within 90 s. In all cases: a run time of at most 20 s
    --help            print this text";

// === impl CliArgs ===

impl CliArgs {
    /// Parses the command line. Returns `None` for `--help`. An error is one line.
    pub(crate) fn parse(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Option<Self>, String> {
        let mut args = Self::default();
        let mut parser = Parser::from_args(arguments);
        while let Some(argument) = parser.next().map_err(one_line)? {
            match argument {
                Arg::Long("incident") => {
                    set_once("incident", &mut args.incident, incident(&mut parser)?)?;
                }
                Arg::Long("seed") => set_once("seed", &mut args.seed, seed(&mut parser)?)?,
                Arg::Long("rate") => set_once("rate", &mut args.rate, rate(&mut parser)?)?,
                Arg::Long("report") => {
                    set_once("report", &mut args.report, value(&mut parser)?.into())?;
                }
                Arg::Long("virtual") => args.in_virtual_time = true,
                Arg::Long("alone") => args.alone = true,
                Arg::Long("json") => args.json = true,
                Arg::Long("check") => args.check = true,
                Arg::Long("help") | Arg::Short('h') => return Ok(None),
                other => return Err(one_line(other.unexpected())),
            }
        }
        Ok(Some(args))
    }
}

fn set_once<T>(name: &str, option: &mut Option<T>, value: T) -> Result<(), String> {
    match option.replace(value) {
        Some(_) => Err(format!("--{name} is given twice; it is allowed once")),
        None => Ok(()),
    }
}

fn value(parser: &mut Parser) -> Result<OsString, String> {
    parser.value().map_err(one_line)
}

fn incident(parser: &mut Parser) -> Result<Incident, String> {
    let value = value(parser)?;
    match value.to_str().and_then(Incident::named) {
        Some(built_in) => Ok(built_in),
        None => Incident::read(PathBuf::from(value)).map_err(one_line),
    }
}

fn seed(parser: &mut Parser) -> Result<u64, String> {
    let value = value(parser)?;
    let max = u64::MAX;
    value
        .parse()
        .map_err(|_| format!("--seed must be a whole number from 0 to {max} (got {value:?})"))
}

fn rate(parser: &mut Parser) -> Result<f64, String> {
    let value = value(parser)?;
    let number = value.to_str().and_then(|text| text.parse::<f64>().ok());
    number.filter(|rate| *rate > 0.0 && *rate <= 6000.0).ok_or_else(|| {
        format!(
            "--rate must be a number of calls per minute above 0 and at most 6000 (got {value:?})"
        )
    })
}

/// The text of `error` in one line without control characters. File names and arguments may contain any.
pub(crate) fn one_line(error: impl std::fmt::Display) -> String {
    let text = error.to_string();
    let words: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

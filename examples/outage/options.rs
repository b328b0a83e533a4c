//! What the command line says.

use std::{
    ffi::OsString,
    fs::OpenOptions,
    path::{Path, PathBuf},
};

use evenkeel_testkit::{Incident, Provider, Scenario};
use lexopt::{Arg, Parser, ValueExt};

use super::{descriptors, plan::Plan};

/// How the outage is played, and what is written of it.
#[derive(Debug)]
pub(crate) struct Options {
    /// What is played.
    pub(crate) plan: Plan,
    /// One JSON object on standard output and nothing else.
    pub(crate) json: bool,
    /// Whether evenkeel has to be within its bounds.
    pub(crate) check: bool,
    /// Where the report goes.
    pub(crate) report: Option<PathBuf>,
}

/// What is said, as it was said.
#[derive(Default)]
struct Said {
    incident: Option<Incident>,
    in_virtual_time: bool,
    alone: bool,
    json: bool,
    check: bool,
    seed: Option<u64>,
    rate: Option<f64>,
    report: Option<PathBuf>,
}

/// What is printed for `--help`.
pub(crate) const HELP: &str = "\
Replays an outage of an AI API against four clients: a plain one, one with the official SDKs' retries, evenkeel, and
evenkeel with a step for every loss: no tool, a small model, a secondary, a stored answer, a canned reply.

    cargo run --release --example outage -- [OPTIONS]

By default over loopback sockets, condensed to 400 s and played ten times as fast: 40 s in all.

    --incident WHICH  the outage: openai-2024-06-04 (the default), openai-2024-12-11, tool-gone, brownout-10, brownout-20,
                      brownout-30, slow-but-well, quiet-bot, noisy-neighbour, node-replaced, or a file of
                      JSON
    --alone           evenkeel without a fallback
    --virtual         at full length, in virtual time, in process: seconds in all
    --json            one JSON object on standard output, nothing else there
    --seed N          of arrivals, faults and jitter (default: 1)
    --rate N          calls a minute of the incident, above 0, at most 6000 (default: that of
                      the incident, else 300; with --virtual 60)
    --report FILE     where the HTML report goes (default: outage.html; with --json none)
    --check           with --virtual: exit 1 and name the bound where evenkeel or steps misses one of those in the file of
                      the incident; where there are none: errors, late and hung calls 0; attempts on a primary that is
                      down at most 5 % of the calls then; an outage noticed within 15 s; the primary back in use within
                      90 s; and always: all of it played within 20 s
    --help            this text";

// === impl Options ===

impl Options {
    /// Reads the command line; `None`: help was asked for. The error is one line.
    pub(crate) fn read(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Option<Self>, String> {
        match said(arguments)? {
            Some(said) => said.checked().map(Some),
            None => Ok(None),
        }
    }
}

fn said(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<Said>, String> {
    let mut said = Said::default();
    let mut parser = Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(one_line)? {
        match argument {
            Arg::Long("incident") => once("incident", &mut said.incident, incident(&mut parser)?)?,
            Arg::Long("seed") => once("seed", &mut said.seed, seed(&mut parser)?)?,
            Arg::Long("rate") => once("rate", &mut said.rate, rate(&mut parser)?)?,
            Arg::Long("report") => once("report", &mut said.report, value(&mut parser)?.into())?,
            Arg::Long("virtual") => said.in_virtual_time = true,
            Arg::Long("alone") => said.alone = true,
            Arg::Long("json") => said.json = true,
            Arg::Long("check") => said.check = true,
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            other => return Err(one_line(other.unexpected())),
        }
    }
    Ok(Some(said))
}

fn once<T>(name: &str, place: &mut Option<T>, value: T) -> Result<(), String> {
    match place.replace(value) {
        Some(_) => Err(format!("--{name} is given twice; allowed is one")),
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
    let most = u64::MAX;
    value
        .parse()
        .map_err(|_| format!("--seed is {value:?}; allowed is a whole number from 0 to {most}"))
}

fn rate(parser: &mut Parser) -> Result<f64, String> {
    let value = value(parser)?;
    let number = value.to_str().and_then(|text| text.parse::<f64>().ok());
    number.filter(|rate| *rate > 0.0 && *rate <= 6000.0).ok_or_else(|| {
        format!("--rate is {value:?}; allowed is a number of calls a minute above 0, at most 6000")
    })
}

// === impl Said ===

impl Said {
    fn checked(self) -> Result<Options, String> {
        if self.check && !self.in_virtual_time {
            return Err(
                "--check is given without --virtual; its bounds are those of the full length"
                    .into(),
            );
        }
        let day = self.incident.unwrap_or_else(Incident::openai_2024_06_04);
        let usual = if self.in_virtual_time { 60.0 } else { 300.0 };
        let rate = self.rate.or(day.rate()).unwrap_or(usual);
        let plan = Plan::new(day, !self.in_virtual_time, (self.seed.unwrap_or(1), rate));
        let plan = plan.alone(self.alone);
        bounded(&plan)?;
        if plan.live {
            descriptors::provide(&plan)?;
        }
        let otherwise = (!self.json).then(|| "outage.html".into());
        let report = self.report.or(otherwise);
        if let Some(file) = &report {
            writable(file)?;
        }
        Ok(Options { plan, json: self.json, check: self.check, report })
    }
}

/// Refuses more calls than a drill makes, or a provider keeps three attempts each of.
fn bounded(plan: &Plan) -> Result<(), String> {
    let most = Scenario::MAX_CALLS.min(Provider::MAX / 3) as f64 * 0.99;
    let minutes = plan.played.length().as_secs_f64() / 60.0;
    if plan.rate * minutes <= most {
        return Ok(());
    }
    Err(format!(
        "--rate is {}; allowed in an incident of {minutes:.0} minutes is at most {:.3}",
        plan.rate,
        most / minutes
    ))
}

/// Whether a report can be written there: found out before the run, not after it. What is there stays as it is.
fn writable(file: &Path) -> Result<(), String> {
    let is_new = !file.exists();
    let opened = OpenOptions::new().append(true).create(true).open(file);
    opened.map_err(|error| one_line(format!("--report {}: {error}", file.display())))?;
    if is_new {
        // It was made just now; the run may yet be stopped.
        let _ = std::fs::remove_file(file);
    }
    Ok(())
}

/// One line without control characters, whatever a file or an argument holds.
fn one_line(error: impl std::fmt::Display) -> String {
    let text = error.to_string();
    let words: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::LONGEST;

    fn read(arguments: &[&str]) -> Result<Option<Options>, String> {
        Options::read(arguments.iter().map(OsString::from))
    }

    fn options(arguments: &[&str]) -> Options {
        read(arguments).unwrap().unwrap()
    }

    fn refused(arguments: &[&str]) -> String {
        let line = read(arguments).unwrap_err();
        assert_eq!(line.lines().count(), 1, "{line:?}");
        line
    }

    /// A file of the tests, removed when it is dropped.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str, text: &[u8]) -> Self {
            let name = format!("evenkeel-outage-{}-{name}", std::process::id());
            let file = std::env::temp_dir().join(name);
            std::fs::write(&file, text).unwrap();
            Self(file)
        }

        fn path(&self) -> &str {
            self.0.to_str().unwrap()
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    #[test]
    fn the_defaults_are_a_live_run_of_4_june_with_a_report() {
        let options = options(&[]);
        assert_eq!(options.plan.day.name(), "ChatGPT, 4 June 2024");
        assert_eq!((options.plan.live, options.plan.seed, options.plan.rate), (true, 1, 300.0));
        assert_eq!(options.plan.played.length(), LONGEST);
        assert_eq!(options.report.as_deref(), Some(Path::new("outage.html")));
        assert!(!options.json && !options.check);
    }

    #[test]
    fn options_go_together() {
        let file = Scratch::new("together.html", b"");
        let arguments = ["--virtual", "--json", "--check", "--seed", "7", "--rate=5.5", "--report"];
        let options = options(&[&arguments[..], &[file.path()]].concat());
        assert_eq!((options.plan.live, options.plan.seed, options.plan.rate), (false, 7, 5.5));
        assert!(options.json && options.check);
        assert_eq!(options.report.as_deref(), Some(file.0.as_path()));
        assert_eq!(self::options(&["--virtual"]).plan.rate, 60.0);
        assert_eq!(self::options(&["--json"]).report, None, "JSON is all that was asked for");
    }

    #[test]
    fn a_built_in_incident_goes_by_its_name() {
        for name in Incident::BUILT_IN {
            assert_eq!(options(&["--incident", name]).plan.day, Incident::named(name).unwrap());
            assert!(HELP.contains(name), "{name}");
        }
        assert!(refused(&["--incident", "tool-gon"]).starts_with("tool-gon: "), "a file, then");
    }

    #[test]
    fn help_is_given() {
        assert!(read(&["--help"]).unwrap().is_none() && read(&["-h"]).unwrap().is_none());
    }

    #[test]
    fn what_is_no_option_is_named() {
        assert!(refused(&["--nonsense"]).contains("--nonsense"));
        assert!(refused(&["nonsense"]).contains("nonsense"));
        assert!(refused(&["-x"]).contains("-x"));
        assert!(refused(&["--virtual=yes"]).contains("--virtual"));
        for option in ["--incident", "--seed", "--rate", "--report"] {
            assert!(refused(&[option]).contains(option));
        }
        assert!(refused(&["--seed", "1", "--seed", "2"]).contains("--seed is given twice"));
        assert!(refused(&["--check"]).contains("--virtual"));
    }

    #[test]
    fn numbers_are_within_what_is_allowed() {
        for rate in ["0", "-1", "NaN", "inf", "-inf", "6001", "many", "", "0x10", "1e400"] {
            assert!(refused(&["--rate", rate]).contains("--rate"), "{rate}");
        }
        for seed in ["-1", "1.5", "18446744073709551616", "one", ""] {
            assert!(refused(&["--seed", seed]).contains("--seed"), "{seed}");
        }
        let line = refused(&["--virtual", "--rate", "6000"]);
        assert!(line.contains("708 minutes") && line.contains("at most 48"), "{line}");
    }

    #[test]
    fn an_incident_that_cannot_be_read_is_named_with_what_is_wrong() {
        assert!(refused(&["--incident", "no-such-file.json"]).starts_with("no-such-file.json: "));
        assert!(refused(&["--incident", "src"]).starts_with("src: "), "a directory");
        let broken = Scratch::new("broken.json", b"{\n  \"name\": \"x\",\n  nonsense\n}");
        assert!(refused(&["--incident", broken.path()]).contains("line 3"));
        let binary = Scratch::new("binary.json", b"\xff\xfe\0");
        assert!(refused(&["--incident", binary.path()]).contains("UTF-8"));
        let phases = br#"{"name": "x", "phases_min": [{"from": 0, "to": -1, "provider": "down"}]}"#;
        let wrong = Scratch::new("wrong.json", phases);
        assert!(refused(&["--incident", wrong.path()]).contains("phases_min[0].to"));
        let nasty = Scratch::new("nasty\x1b[2J\n.json", b"");
        assert!(!refused(&["--incident", nasty.path()]).contains('\x1b'));
        let phases = br#"{"name": "x", "phases_min": [{"from": 0, "to": 1, "provider": "down"}]}"#;
        let day = Scratch::new("day.json", phases);
        let twice = ["--incident", day.path(), "--incident", day.path()];
        assert!(refused(&twice).contains("given twice"));
    }

    #[test]
    fn a_report_that_cannot_be_written_is_refused_before_the_run() {
        assert!(refused(&["--report", "no-such-folder/outage.html"]).contains("no-such-folder"));
        assert!(refused(&["--report", "src"]).contains("src"));
        assert!(refused(&["--report", ""]).contains("--report"));
    }

    #[test]
    fn a_report_of_before_stays_until_there_is_a_new_one() {
        let file = Scratch::new("before.html", b"before");
        options(&["--report", file.path()]);
        assert_eq!(std::fs::read(&file.0).unwrap(), b"before");
        std::fs::remove_file(&file.0).unwrap();
        options(&["--report", file.path()]);
        assert!(!file.0.exists(), "nothing is left behind");
    }
}

//! The options of a run, checked before it starts.

use std::{
    ffi::OsString,
    fs::OpenOptions,
    path::{Path, PathBuf},
};

use evenkeel_testkit::{Incident, Provider, Scenario};

use super::{
    cli::{CliArgs, one_line},
    descriptors,
    plan::RunPlan,
};

/// The options of a run.
#[derive(Debug)]
pub(crate) struct Options {
    /// The plan of the run.
    pub(crate) plan: RunPlan,
    /// Whether standard output gets one JSON object and nothing else.
    pub(crate) json: bool,
    /// Whether a client that exceeds a bound of the incident is an error.
    pub(crate) check: bool,
    /// The file for the HTML report.
    pub(crate) report: Option<PathBuf>,
}

// === impl Options ===

impl Options {
    /// Reads the command line. Returns `None` for `--help`. An error is one line.
    pub(crate) fn read(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Option<Self>, String> {
        CliArgs::parse(arguments)?.map(Self::from_args).transpose()
    }

    fn from_args(args: CliArgs) -> Result<Self, String> {
        if args.check && !args.in_virtual_time {
            return Err("--check requires --virtual: the bounds apply to the full length".into());
        }
        let plan = plan(&args);
        check_number_of_calls(&plan)?;
        if plan.live {
            descriptors::raise_limit(&plan)?;
        }
        let default_report = (!args.json).then(|| "outage.html".into());
        let report = args.report.or(default_report);
        if let Some(file) = &report {
            check_writable(file)?;
        }
        Ok(Self { plan, json: args.json, check: args.check, report })
    }
}

/// The plan, with the defaults for what is absent.
fn plan(args: &CliArgs) -> RunPlan {
    let incident = args.incident.clone().unwrap_or_else(Incident::openai_2024_06_04);
    let seed = args.seed.unwrap_or(1);
    let rate = args.rate.or(incident.rate());
    let plan = match args.in_virtual_time {
        true => RunPlan::in_virtual_time(incident, seed, rate.unwrap_or(60.0)),
        false => RunPlan::live(incident, seed, rate.unwrap_or(300.0)),
    };
    plan.alone(args.alone)
}

/// Rejects a rate with more calls than a scenario makes or a provider can record at three attempts each.
fn check_number_of_calls(plan: &RunPlan) -> Result<(), String> {
    let max_calls = Scenario::MAX_CALLS.min(Provider::MAX / 3) as f64 * 0.99;
    let minutes = plan.played.length().as_secs_f64() / 60.0;
    if plan.rate * minutes <= max_calls {
        return Ok(());
    }
    Err(format!(
        "--rate must be at most {:.3} in an incident of {minutes:.0} minutes (got {})",
        max_calls / minutes,
        plan.rate
    ))
}

/// Rejects a report file that cannot be written, before the run starts. An existing file is not changed.
fn check_writable(file: &Path) -> Result<(), String> {
    let is_new = !file.exists();
    let opened = OpenOptions::new().append(true).create(true).open(file);
    opened.map_err(|error| one_line(format!("--report {}: {error}", file.display())))?;
    if is_new {
        // The check created the file; a run that is stopped early must not leave it behind.
        let _ = std::fs::remove_file(file);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::HELP, plan::CONDENSED_LENGTH};

    fn read(arguments: &[&str]) -> Result<Option<Options>, String> {
        Options::read(arguments.iter().map(OsString::from))
    }

    fn options(arguments: &[&str]) -> Options {
        read(arguments).unwrap().unwrap()
    }

    fn error(arguments: &[&str]) -> String {
        let line = read(arguments).unwrap_err();
        assert_eq!(line.lines().count(), 1, "{line:?}");
        line
    }

    /// A temporary file, removed on drop.
    struct TempFile(PathBuf);

    impl TempFile {
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

    impl Drop for TempFile {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    #[test]
    fn the_defaults_are_a_live_run_of_4_june_with_a_report() {
        let options = options(&[]);
        assert_eq!(options.plan.incident.name(), "ChatGPT, 4 June 2024");
        assert_eq!((options.plan.live, options.plan.seed, options.plan.rate), (true, 1, 300.0));
        assert_eq!(options.plan.played.length(), CONDENSED_LENGTH);
        assert_eq!(options.report.as_deref(), Some(Path::new("outage.html")));
        assert!(!options.json && !options.check);
    }

    #[test]
    fn options_can_be_combined() {
        let file = TempFile::new("together.html", b"");
        let arguments = ["--virtual", "--json", "--check", "--seed", "7", "--rate=5.5", "--report"];
        let options = options(&[&arguments[..], &[file.path()]].concat());
        assert_eq!((options.plan.live, options.plan.seed, options.plan.rate), (false, 7, 5.5));
        assert!(options.json && options.check);
        assert_eq!(options.report.as_deref(), Some(file.0.as_path()));
        assert_eq!(self::options(&["--virtual"]).plan.rate, 60.0);
        assert_eq!(self::options(&["--json"]).report, None, "no report by default");
    }

    #[test]
    fn a_built_in_incident_is_selected_by_its_name() {
        for name in Incident::BUILT_IN {
            assert_eq!(
                options(&["--incident", name]).plan.incident,
                Incident::named(name).unwrap()
            );
            assert!(HELP.contains(name), "{name}");
        }
        assert!(
            error(&["--incident", "tool-gon"]).starts_with("tool-gon: "),
            "it is read as a file"
        );
    }

    #[test]
    fn help_is_recognised() {
        assert!(read(&["--help"]).unwrap().is_none() && read(&["-h"]).unwrap().is_none());
    }

    #[test]
    fn an_unknown_option_is_named_in_the_error() {
        assert!(error(&["--nonsense"]).contains("--nonsense"));
        assert!(error(&["nonsense"]).contains("nonsense"));
        assert!(error(&["-x"]).contains("-x"));
        assert!(error(&["--virtual=yes"]).contains("--virtual"));
        for option in ["--incident", "--seed", "--rate", "--report"] {
            assert!(error(&[option]).contains(option));
        }
        assert!(error(&["--seed", "1", "--seed", "2"]).contains("--seed is given twice"));
        assert!(error(&["--check"]).contains("--virtual"));
    }

    #[test]
    fn a_number_out_of_range_is_rejected() {
        for rate in ["0", "-1", "NaN", "inf", "-inf", "6001", "many", "", "0x10", "1e400"] {
            assert!(error(&["--rate", rate]).contains("--rate"), "{rate}");
        }
        for seed in ["-1", "1.5", "18446744073709551616", "one", ""] {
            assert!(error(&["--seed", seed]).contains("--seed"), "{seed}");
        }
        let line = error(&["--virtual", "--rate", "6000"]);
        assert!(line.contains("708 minutes") && line.contains("at most 48"), "{line}");
    }

    #[test]
    fn an_unreadable_incident_is_named_with_the_reason() {
        assert!(error(&["--incident", "no-such-file.json"]).starts_with("no-such-file.json: "));
        assert!(error(&["--incident", "src"]).starts_with("src: "), "a directory");
        let broken = TempFile::new("broken.json", b"{\n  \"name\": \"x\",\n  nonsense\n}");
        assert!(error(&["--incident", broken.path()]).contains("line 3"));
        let binary = TempFile::new("binary.json", b"\xff\xfe\0");
        assert!(error(&["--incident", binary.path()]).contains("UTF-8"));
        let phases = br#"{"name": "x", "phases_min": [{"from": 0, "to": -1, "provider": "down"}]}"#;
        let wrong = TempFile::new("wrong.json", phases);
        assert!(error(&["--incident", wrong.path()]).contains("phases_min[0].to"));
        let control = TempFile::new("control\x1b[2J\n.json", b"");
        assert!(!error(&["--incident", control.path()]).contains('\x1b'));
        let phases = br#"{"name": "x", "phases_min": [{"from": 0, "to": 1, "provider": "down"}]}"#;
        let valid = TempFile::new("valid.json", phases);
        let twice = ["--incident", valid.path(), "--incident", valid.path()];
        assert!(error(&twice).contains("given twice"));
    }

    #[test]
    fn an_unwritable_report_is_rejected_before_the_run() {
        assert!(error(&["--report", "no-such-folder/outage.html"]).contains("no-such-folder"));
        assert!(error(&["--report", "src"]).contains("src"));
        assert!(error(&["--report", ""]).contains("--report"));
    }

    #[test]
    fn the_check_keeps_an_existing_report_and_leaves_no_new_file() {
        let file = TempFile::new("before.html", b"before");
        options(&["--report", file.path()]);
        assert_eq!(std::fs::read(&file.0).unwrap(), b"before");
        std::fs::remove_file(&file.0).unwrap();
        options(&["--report", file.path()]);
        assert!(!file.0.exists(), "no file is left behind");
    }
}

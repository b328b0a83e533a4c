//! What the command line says.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use evenkeel::{
    Client, ConfigError, Profile,
    adapter::Reqwest,
    fallback::{Fallback, Target},
    telemetry::Observer,
};
use lexopt::{Arg, Parser, ValueExt};

/// What is asked for.
#[derive(Debug)]
pub(crate) enum Wanted {
    Help,
    /// The demonstration, with that seed.
    Drill(u64),
    Run(Box<Options>),
}

/// A run.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) input: PathBuf,
    pub(crate) output: PathBuf,
    /// The base URL of the API, with its version.
    pub(crate) url: String,
    /// The variable that holds the key.
    pub(crate) key_env: String,
    pub(crate) model: String,
    /// The model that is asked where the first fails, at the same place.
    pub(crate) fallback_model: Option<String>,
    /// Another provider below both, and the variable that holds its key.
    pub(crate) fallback_url: Option<String>,
    pub(crate) fallback_key_env: Option<String>,
    /// How many prompts are under way at a time.
    pub(crate) at_once: usize,
    /// The time that one prompt has, in all.
    pub(crate) deadline: Duration,
    /// Every time limit so many times as long: below 1 for a demonstration.
    pub(crate) scale: f64,
}

pub(crate) const HELP: &str = "\
Answers prompts in JSONL, so many at a time, each once, through an outage and after a kill.

    cargo run --release --example pipeline -- --in FILE --out FILE [OPTIONS]

Without --in it shows itself: 2 000 prompts through an outage on embedded providers, killed three times on the way.

    --in FILE             prompts: {\"id\": \"…\", \"prompt\": \"…\"} or {\"id\": \"…\", \"messages\": […]} a line
    --out FILE            answers, one a line; what is there already is not asked again
    --url URL             the API's base URL (default: https://api.openai.com/v1); for https build with --features reqwest/rustls
    --key-env NAME        the variable that holds its key (default: OPENAI_API_KEY)
    --model NAME          the model (default: gpt-4o-mini)
    --fallback-model NAME asked at the same place when the model fails
    --fallback-url URL    another provider, asked after that; it speaks the same language
    --fallback-key-env NAME   the variable that holds its key
    --at-once N           prompts under way at a time, 1 to 1024 (default: 16)
    --deadline SECONDS    what one prompt may take, waits for recovery and all, 10 to 86400 (default: 900)
    --scale FACTOR        every time limit so many times as long, above 0, at most 10 (default: 1)
    --seed N              of the demonstration (default: 1)
    --help                this text";

#[derive(Default)]
struct Said {
    texts: Vec<(&'static str, String)>,
    input: Option<PathBuf>,
    output: Option<PathBuf>,
    at_once: Option<u64>,
    deadline: Option<u64>,
    scale: Option<f64>,
    seed: Option<u64>,
}

const TEXTS: [&str; 6] =
    ["url", "key-env", "model", "fallback-model", "fallback-url", "fallback-key-env"];

// === impl Wanted ===

impl Wanted {
    /// Reads the command line; the error is one line.
    pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let Some(said) = said(arguments)? else { return Ok(Self::Help) };
        let (Some(input), Some(output)) = (said.input.clone(), said.output.clone()) else {
            return match (&said.input, &said.output, said.texts.is_empty()) {
                (None, None, true) => Ok(Self::Drill(said.seed.unwrap_or(1))),
                (None, ..) => Err("--in is missing; allowed is a file with prompts".into()),
                (_, None, _) => Err("--out is missing; allowed is a file for the answers".into()),
                _ => unreachable!("both are there is the case above"),
            };
        };
        Ok(Self::Run(Box::new(said.options(input, output))))
    }
}

fn said(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<Said>, String> {
    let mut said = Said::default();
    let mut parser = Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        let Arg::Long(name) = argument else {
            if matches!(argument, Arg::Short('h')) {
                return Ok(None);
            }
            return Err(argument.unexpected().to_string());
        };
        let name = name.to_owned();
        if name == "help" {
            return Ok(None);
        }
        let known = TEXTS.iter().find(|text| **text == name).copied();
        let mut value = || parser.value().map_err(|error| error.to_string());
        match (name.as_str(), known) {
            (_, Some(known)) => {
                let text = value()?.string().map_err(|error| error.to_string())?;
                if text.trim().is_empty() {
                    return Err(format!("--{known} is \"\"; allowed is a text"));
                }
                said.texts.push((known, text));
            }
            ("in", _) => said.input = Some(value()?.into()),
            ("out", _) => said.output = Some(value()?.into()),
            ("at-once", _) => said.at_once = Some(whole("at-once", value()?, 1..=1024)?),
            ("deadline", _) => said.deadline = Some(whole("deadline", value()?, 10..=86_400)?),
            ("seed", _) => said.seed = Some(whole("seed", value()?, 0..=u64::MAX)?),
            ("scale", _) => said.scale = Some(factor(value()?)?),
            _ => return Err(format!("--{name} is not an option; --help lists them")),
        }
    }
    Ok(Some(said))
}

fn whole(
    name: &str,
    value: OsString,
    allowed: std::ops::RangeInclusive<u64>,
) -> Result<u64, String> {
    let (text, least, most) = (value.to_string_lossy(), allowed.start(), allowed.end());
    let number = text.parse().ok().filter(|number| allowed.contains(number));
    number.ok_or_else(|| {
        format!("--{name} is {text:?}; allowed is a whole number from {least} to {most}")
    })
}

fn factor(value: OsString) -> Result<f64, String> {
    let text = value.to_string_lossy();
    let number = text.parse().ok().filter(|number| *number > 0.0 && *number <= 10.0);
    number.ok_or_else(|| format!("--scale is {text:?}; allowed is a number above 0, at most 10"))
}

// === impl Said ===

impl Said {
    fn options(self, input: PathBuf, output: PathBuf) -> Options {
        let text = |name| {
            let found = self.texts.iter().rev().find(|(known, _)| *known == name);
            found.map(|(_, text)| text.clone())
        };
        Options {
            input,
            output,
            url: text("url").unwrap_or_else(|| "https://api.openai.com/v1".into()),
            key_env: text("key-env").unwrap_or_else(|| "OPENAI_API_KEY".into()),
            model: text("model").unwrap_or_else(|| "gpt-4o-mini".into()),
            fallback_model: text("fallback-model"),
            fallback_url: text("fallback-url"),
            fallback_key_env: text("fallback-key-env"),
            // Within usize, as it is at most 1024.
            at_once: self.at_once.unwrap_or(16) as usize,
            deadline: Duration::from_secs(self.deadline.unwrap_or(900)),
            scale: self.scale.unwrap_or(1.0),
        }
    }
}

// === impl Options ===

impl Options {
    /// evenkeel with these targets: the pipeline's profile, so that a call waits for recovery when all are out.
    pub(crate) fn client(&self, listener: impl Observer) -> Result<Client, ConfigError> {
        let profile = Profile::pipeline().deadline(self.deadline);
        // A shorter deadline leaves no time for the profile's longest attempts.
        let attempt = (self.deadline / 3).min(Duration::from_secs(300));
        let first = attempt.min(Duration::from_secs(60));
        let timeout = evenkeel::timeout::TimeoutPolicy::default().attempt(attempt);
        let profile = profile.timeout(timeout.first_event(first).idle(first));
        let profile = profile.connect(first.min(Duration::from_secs(5))).scaled(self.scale);
        let connect = Duration::from_secs(5).mul_f64(self.scale);
        let mut builder =
            Client::builder().profile(profile).primary(self.primary()).observe(listener);
        if let Some(model) = &self.fallback_model {
            builder = builder.fallback(Fallback::target(self.primary().model(model)));
        }
        if let Some(url) = &self.fallback_url {
            let target = keyed(Target::new(url), self.fallback_key_env.as_deref());
            builder = builder.fallback(Fallback::target(target).named("secondary"));
        }
        builder.over(Reqwest::new(connect)?)
    }

    fn primary(&self) -> Target {
        keyed(Target::new(&self.url), Some(&self.key_env)).model(&self.model)
    }
}

/// The target with the key in that variable, if there is one: a local server needs none.
fn keyed(target: Target, variable: Option<&str>) -> Target {
    match variable.and_then(|name| std::env::var(name).ok()) {
        Some(key) => target.bearer(&key),
        None => target,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Wanted, String> {
        Wanted::read(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn what_is_said_is_what_is_done() {
        let line = "--in a --out b --model m --at-once 3 --deadline 60 --url http://localhost/v1";
        let Ok(Wanted::Run(options)) = read(line) else { panic!("{:?}", read(line)) };
        assert_eq!((options.model.as_str(), options.at_once), ("m", 3));
        assert_eq!(
            (options.deadline, options.url.as_str()),
            (Duration::from_secs(60), "http://localhost/v1")
        );
        assert!(options.client(|_: &evenkeel::telemetry::Event| {}).is_ok());
        assert!(matches!(read("--seed 7"), Ok(Wanted::Drill(7))));
        assert!(matches!(read("--help"), Ok(Wanted::Help)));
    }

    #[test]
    fn what_cannot_be_meant_is_one_line_that_names_it() {
        for (line, starts) in [
            ("--in a", "--out is missing"),
            ("--out a", "--in is missing"),
            ("--model m", "--in is missing"),
            ("--in a --out b --at-once 0", "--at-once is \"0\""),
            ("--in a --out b --deadline soon", "--deadline is \"soon\""),
            ("--in a --out b --scale -1", "--scale is \"-1\""),
            ("--nonsense", "--nonsense is not an option"),
            ("stray", "unexpected argument"),
        ] {
            let error = read(line).unwrap_err();
            assert!(error.starts_with(starts) && !error.contains('\n'), "{line}: {error}");
        }
    }

    #[test]
    fn any_deadline_that_is_allowed_makes_a_client() {
        for seconds in [10, 11, 30, 86_400] {
            let line = format!("--in a --out b --deadline {seconds} --scale 0.05");
            let Ok(Wanted::Run(options)) = read(&line) else { panic!("{line}") };
            let made = options.client(|_: &evenkeel::telemetry::Event| {});
            assert!(made.is_ok(), "{seconds}: {:?}", made.err());
        }
    }
}

//! The command line: help and parsing.

use std::{ffi::OsString, ops::RangeInclusive, path::PathBuf, time::Duration};

use lexopt::{Arg, Parser, ValueExt};

use super::options::Options;

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Invocation {
    Help,
    /// The demonstration on embedded providers.
    Demo {
        seed: u64,
    },
    /// A run over a file of prompts.
    Run(Box<Options>),
}

pub(crate) const HELP: &str = "\
Answers the prompts of a JSONL file, several at a time. Each prompt is answered once, also through an outage and after the
process was killed.

    cargo run --release --example pipeline -- --in FILE --out FILE [OPTIONS]

Without --in it runs a demonstration: 2 000 prompts through an outage on embedded providers, with three kills of the process.

    --in FILE             the prompts, one per line: {\"id\": \"…\", \"prompt\": \"…\"} or {\"id\": \"…\", \"messages\": […]}
    --out FILE            the answers, one per line; a prompt with an answer in the file is not sent again
    --url URL             the base URL of the API (default: https://api.openai.com/v1); https needs --features reqwest/rustls
    --key-env NAME        the environment variable with the API key (default: OPENAI_API_KEY)
    --model NAME          the model (default: gpt-4o-mini)
    --fallback-model NAME a model at the same URL, used when the first model fails
    --fallback-url URL    another provider with the same API, used after that
    --fallback-key-env NAME   the environment variable with the API key of the other provider
    --at-once N           the number of prompts in flight, 1 to 1024 (default: 16)
    --deadline SECONDS    the time limit for one prompt with all waits, 10 to 86400 (default: 900)
    --scale FACTOR        multiplies every time limit, above 0 and at most 10 (default: 1)
    --seed N              the seed of the demonstration (default: 1)
    --help                print this text";

/// The arguments as given; `None` where an option is absent.
#[derive(Default)]
struct CliArgs {
    /// The options of [`TEXT_OPTIONS`] with their values. The last one of a name counts.
    texts: Vec<TextOption>,
    input: Option<PathBuf>,
    output: Option<PathBuf>,
    at_once: Option<u64>,
    deadline: Option<u64>,
    scale: Option<f64>,
    seed: Option<u64>,
}

struct TextOption {
    name: &'static str,
    value: String,
}

/// The options whose value is any text that is not empty.
const TEXT_OPTIONS: [&str; 6] =
    ["url", "key-env", "model", "fallback-model", "fallback-url", "fallback-key-env"];

// === impl Invocation ===

impl Invocation {
    /// Reads the command line. An error is one line.
    pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let Some(args) = CliArgs::parse(arguments)? else { return Ok(Self::Help) };
        match (args.input.clone(), args.output.clone()) {
            (Some(input), Some(output)) => {
                Ok(Self::Run(Box::new(args.into_options(input, output))))
            }
            (None, None) if args.texts.is_empty() => {
                Ok(Self::Demo { seed: args.seed.unwrap_or(1) })
            }
            (None, _) => Err("--in is missing; it must name a file of prompts".into()),
            (_, None) => Err("--out is missing; it must name a file for the answers".into()),
        }
    }
}

// === impl CliArgs ===

impl CliArgs {
    /// Parses the command line. Returns `None` for `--help`.
    fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<Self>, String> {
        let mut args = Self::default();
        let mut parser = Parser::from_args(arguments);
        while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
            let name = match argument {
                Arg::Long("help") | Arg::Short('h') => return Ok(None),
                Arg::Long(name) => name.to_owned(),
                other => return Err(other.unexpected().to_string()),
            };
            args.set(&name, &mut parser)?;
        }
        Ok(Some(args))
    }

    /// Sets the option `name` to the next value of the parser.
    fn set(&mut self, name: &str, parser: &mut Parser) -> Result<(), String> {
        let mut value = || parser.value().map_err(|error| error.to_string());
        if let Some(name) = TEXT_OPTIONS.into_iter().find(|option| *option == name) {
            self.texts.push(TextOption { name, value: text(name, value()?)? });
            return Ok(());
        }
        match name {
            "in" => self.input = Some(value()?.into()),
            "out" => self.output = Some(value()?.into()),
            "at-once" => self.at_once = Some(whole_number(name, value()?, 1..=1024)?),
            "deadline" => self.deadline = Some(whole_number(name, value()?, 10..=86_400)?),
            "seed" => self.seed = Some(whole_number(name, value()?, 0..=u64::MAX)?),
            "scale" => self.scale = Some(factor(value()?)?),
            _ => return Err(format!("--{name} is not an option; --help lists the options")),
        }
        Ok(())
    }

    fn into_options(self, input: PathBuf, output: PathBuf) -> Options {
        let text = |name| {
            let last = self.texts.iter().rev().find(|option| option.name == name);
            last.map(|option| option.value.clone())
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
            // At most 1024, so it fits into a usize.
            at_once: self.at_once.unwrap_or(16) as usize,
            deadline: Duration::from_secs(self.deadline.unwrap_or(900)),
            scale: self.scale.unwrap_or(1.0),
        }
    }
}

fn text(name: &str, value: OsString) -> Result<String, String> {
    let text = value.string().map_err(|error| error.to_string())?;
    if text.trim().is_empty() {
        return Err(format!("--{name} must be a text that is not empty (got {text:?})"));
    }
    Ok(text)
}

fn whole_number(name: &str, value: OsString, allowed: RangeInclusive<u64>) -> Result<u64, String> {
    let (text, min, max) = (value.to_string_lossy(), allowed.start(), allowed.end());
    let number = text.parse().ok().filter(|number| allowed.contains(number));
    number.ok_or_else(|| {
        format!("--{name} must be a whole number from {min} to {max} (got {text:?})")
    })
}

fn factor(value: OsString) -> Result<f64, String> {
    let text = value.to_string_lossy();
    let number = text.parse().ok().filter(|number| *number > 0.0 && *number <= 10.0);
    number.ok_or_else(|| format!("--scale must be a number above 0 and at most 10 (got {text:?})"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn read(line: &str) -> Result<Invocation, String> {
        Invocation::read(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn the_options_have_the_given_values() {
        let line = "--in a --out b --model m --at-once 3 --deadline 60 --url http://localhost/v1";
        let Ok(Invocation::Run(options)) = read(line) else { panic!("{:?}", read(line)) };
        assert_eq!((options.model.as_str(), options.at_once), ("m", 3));
        assert_eq!(
            (options.deadline, options.url.as_str()),
            (Duration::from_secs(60), "http://localhost/v1")
        );
        assert!(options.client(|_: &evenkeel::telemetry::Event| {}).is_ok());
        assert!(matches!(read("--seed 7"), Ok(Invocation::Demo { seed: 7 })));
        assert!(matches!(read("--help"), Ok(Invocation::Help)));
    }

    #[test]
    fn an_error_is_one_line_that_names_the_option_and_the_value() {
        for (line, starts, names) in [
            ("--in a", "--out is missing", "file"),
            ("--out a", "--in is missing", "file"),
            ("--model m", "--in is missing", "file"),
            ("--in a --out b --at-once 0", "--at-once must be", "\"0\""),
            ("--in a --out b --deadline soon", "--deadline must be", "\"soon\""),
            ("--in a --out b --scale -1", "--scale must be", "\"-1\""),
            ("--nonsense", "--nonsense is not an option", "--help"),
            ("stray", "unexpected argument", "stray"),
        ] {
            let error = read(line).unwrap_err();
            assert!(error.starts_with(starts) && !error.contains('\n'), "{line}: {error}");
            assert!(error.contains(names), "{line}: {error}");
        }
    }
}

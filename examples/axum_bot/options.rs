//! The command line and the environment.

use std::{ffi::OsString, time::Duration};

use lexopt::{Arg, Parser, ValueExt};

use crate::providers::{Endpoint, Endpoints};

/// What the command line and the environment ask for.
pub(crate) struct Options {
    pub(crate) port: u16,
    /// The time after which the bot stops by itself.
    pub(crate) stop_after: Option<Duration>,
    /// The providers of the environment; `None` for the embedded ones.
    pub(crate) endpoints: Option<Endpoints>,
}

pub(crate) const HELP: &str = "\
A customer-service bot with a chat page that keeps answering while its AI provider is down.

    cargo run --example axum_bot -- [OPTIONS]

    --port PORT   the port on 127.0.0.1 (default: 3000; 0: a free port)
    --for TIME    stop after this time, such as 30s or 5m (default: run until Ctrl+C)
    --help        print this text

Without these environment variables the bot uses two embedded providers, which the page can take down:

    BOT_URL            the base URL of an OpenAI-compatible API, such as https://api.openai.com/v1
    BOT_MODEL          its model
    BOT_KEY            its API key (default: none)
    BOT_BACKUP_MODEL   the model that answers when the first one fails (default: none)
    BOT_BACKUP_URL     the base URL of another provider for it (default: BOT_URL with BOT_KEY)
    BOT_BACKUP_KEY     the API key of the other provider (default: none)

https:// needs TLS in reqwest: cargo run --example axum_bot --features reqwest/rustls";

const DEFAULT_PORT: u16 = 3000;

// === impl Options ===

impl Options {
    /// Reads the arguments and the variables. Returns `None` for `--help`. An error is one line.
    pub(crate) fn read(
        arguments: impl IntoIterator<Item = OsString>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, String> {
        let mut options = Self { port: DEFAULT_PORT, stop_after: None, endpoints: None };
        let mut parser = Parser::from_args(arguments);
        while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
            match argument {
                Arg::Long("help") | Arg::Short('h') => return Ok(None),
                Arg::Long("port") => options.port = port(&text(&mut parser)?)?,
                Arg::Long("for") => options.stop_after = Some(time(&text(&mut parser)?)?),
                other => return Err(format!("{}; --help lists the options", other.unexpected())),
            }
        }
        options.endpoints = endpoints(|name| variable(name).filter(|value| !value.is_empty()))?;
        Ok(Some(options))
    }
}

fn text(parser: &mut Parser) -> Result<String, String> {
    parser.value().and_then(|value| value.string()).map_err(|error| error.to_string())
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("--port must be 0 to 65535 (got {text})"))
}

fn time(text: &str) -> Result<Duration, String> {
    let time = text.parse::<jiff::SignedDuration>().ok();
    let time = time.and_then(|time| Duration::try_from(time).ok());
    time.ok_or_else(|| format!("--for must be a time such as 30s or 5m (got {text})"))
}

/// The providers that the variables name.
fn endpoints(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Endpoints>, String> {
    const NAMES: [&str; 5] =
        ["BOT_MODEL", "BOT_KEY", "BOT_BACKUP_URL", "BOT_BACKUP_MODEL", "BOT_BACKUP_KEY"];
    let Some(url) = variable("BOT_URL") else {
        let lonely = NAMES.iter().find(|name| variable(name).is_some());
        return lonely.map_or(Ok(None), |name| Err(format!("{name} is set, but BOT_URL is not")));
    };
    let model = variable("BOT_MODEL").ok_or("BOT_URL is set, but BOT_MODEL is not")?;
    let key = variable("BOT_KEY");
    let backup = match (variable("BOT_BACKUP_MODEL"), variable("BOT_BACKUP_URL")) {
        (Some(model), Some(url)) => Some(Endpoint { url, model, key: variable("BOT_BACKUP_KEY") }),
        (Some(model), None) => Some(Endpoint { url: url.clone(), model, key: key.clone() }),
        (None, Some(_)) => return Err("BOT_BACKUP_URL is set, but BOT_BACKUP_MODEL is not".into()),
        (None, None) => None,
    };
    Ok(Some(Endpoints { primary: Endpoint { url, model, key }, backup }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Option<Options>, String> {
        let value = |name: &str| variables.iter().find(|(known, _)| *known == name);
        Options::read(arguments.iter().map(OsString::from), |name| {
            value(name).map(|(_, value)| value.to_string())
        })
    }

    #[test]
    fn the_options_have_the_defaults_of_the_help() {
        let options = read(&[], &[]).unwrap().unwrap();
        assert!(HELP.contains(&format!("default: {}", options.port)));
        assert!(options.stop_after.is_none() && options.endpoints.is_none());
        assert!(read(&["--help"], &[]).unwrap().is_none());
    }

    #[test]
    fn a_time_has_a_unit() {
        let stop_after =
            |text| read(&["--for", text], &[]).map(|options| options.unwrap().stop_after);
        assert_eq!(stop_after("30s"), Ok(Some(Duration::from_secs(30))));
        assert_eq!(stop_after("5m"), Ok(Some(Duration::from_secs(300))));
        for wrong in ["30", "soon", "-5s"] {
            assert!(stop_after(wrong).is_err_and(|line| line.contains(wrong)), "{wrong}");
        }
    }

    #[test]
    fn an_invalid_option_is_named_in_the_error() {
        for (arguments, part) in [
            (&["--port", "x"][..], "--port must be"),
            (&["--wat"][..], "--wat"),
            (&["--port"][..], "--port"),
        ] {
            assert!(read(arguments, &[]).err().is_some_and(|line| line.contains(part)), "{part}");
        }
    }

    #[test]
    fn the_key_of_one_provider_is_not_sent_to_another() {
        let first =
            [("BOT_URL", "https://a.example/v1"), ("BOT_MODEL", "large"), ("BOT_KEY", "secret")];
        let backup = |more: &[(&str, &str)]| {
            let variables = [&first[..], more].concat();
            let endpoints = read(&[], &variables).unwrap().unwrap().endpoints.unwrap();
            endpoints.backup.map(|backup| (backup.url, backup.key))
        };
        let same = backup(&[("BOT_BACKUP_MODEL", "small")]);
        assert_eq!(same, Some(("https://a.example/v1".into(), Some("secret".into()))));
        let other =
            backup(&[("BOT_BACKUP_MODEL", "small"), ("BOT_BACKUP_URL", "https://b.example/v1")]);
        assert_eq!(other, Some(("https://b.example/v1".into(), None)));
        assert_eq!(backup(&[]), None);
    }

    #[test]
    fn a_variable_that_is_missing_is_named_in_the_error() {
        for (variables, missing) in [
            (&[("BOT_KEY", "secret")][..], "BOT_URL is not"),
            (&[("BOT_URL", "http://a")][..], "BOT_MODEL is not"),
        ] {
            let line = read(&[], variables).err().unwrap();
            assert!(line.contains(missing) && !line.contains("secret"), "{line}");
        }
    }
}

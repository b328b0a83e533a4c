//! What the command line says.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf};

use lexopt::{Arg, Parser};

use super::place::{one_line, origin};

/// What the command line says, each part right by itself.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) upstream: Option<http::Uri>,
    pub(crate) config: Option<PathBuf>,
    pub(crate) profile: Option<Kind>,
}

/// Which profile the limits begin with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A person waits.
    #[default]
    Interactive,
    /// Nobody waits.
    Pipeline,
}

/// What is printed for `--help`.
pub(crate) const HELP: &str = "\
Stands between AI clients and an AI API, and keeps them on an even keel while it goes under: timeouts, retries, a circuit
breaker, fallbacks. OpenAI, Anthropic, Gemini and Ollama are spoken; every other path is passed through.

    cargo run --release --example gateway -- --upstream http://HOST:PORT [OPTIONS]

    --listen ADDR:PORT   where it listens (default: 127.0.0.1:8080; port 0 is any free one); the address it has is the
                         one line on standard output. Anything but the loopback interface is open to others: a warning
    --upstream URL       where requests go, an origin such as http://127.0.0.1:11434; path and query stay as they are.
                         For https build it with --features reqwest/rustls
    --config FILE        targets, ladder and limits, as TOML: examples/gateway/gateway.toml has all there is. Keys come
                         from the environment only. Without --upstream the first rung of its ladder is asked first
    --profile NAME       interactive (default: a person waits; a call has 30 s) or pipeline (nobody waits; 15 min, and
                         streams come when they are complete)
    --help               this text

Headers of a request, for it alone; none of them goes to the upstream:

    evenkeel-fallbacks: MODEL[,MODEL]   other models of the same upstream and key, asked in this order, at most 8
    evenkeel-commit: complete           a streamed answer comes when it is whole, or as an error (else: first-content)
    evenkeel-deadline-ms: N             it has so many milliseconds
    evenkeel-priority: batch            where calls wait, after those that a person waits for (else: interactive)
    evenkeel-sticky: KEY                calls with the same key go to the same one of equal targets

Headers of an answer: evenkeel-rung (who gave it: primary, a model, a target's name; gateway for an error made here) and
evenkeel-attempts (how many requests went to upstreams). GET /healthz tells the states of the routes.
RUST_LOG says how much is logged, such as warn or evenkeel=debug (default: info); never a key, prompt or answer.
SIGTERM and SIGINT end it when the answers under way are through, within 30 s; a second signal ends it at once.
It exits with 0, with 2 when the command line or the file is wrong, with 1 when it cannot listen.";

// === impl Options ===

impl Options {
    /// Reads the command line; `None`: help was asked for. The error is one line.
    pub(crate) fn read(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Option<Self>, String> {
        let mut said = Self::default();
        let mut parser = Parser::from_args(arguments);
        while let Some(argument) = parser.next().map_err(one_line)? {
            match argument {
                Arg::Long("listen") => once("listen", &mut said.listen, &mut parser, listen)?,
                Arg::Long("upstream") => once("upstream", &mut said.upstream, &mut parser, origin)?,
                Arg::Long("config") => {
                    once("config", &mut said.config, &mut parser, |text| Ok(text.into()))?;
                }
                Arg::Long("profile") => once("profile", &mut said.profile, &mut parser, profile)?,
                Arg::Long("help") | Arg::Short('h') => return Ok(None),
                // What it is may be a key in the wrong place.
                Arg::Value(_) => {
                    return Err("an argument is no option; allowed is what --help tells".into());
                }
                other => return Err(one_line(other.unexpected())),
            }
        }
        if said.upstream.is_none() && said.config.is_none() {
            return Err(
                "--upstream is missing; allowed is an origin such as http://127.0.0.1:11434".into(),
            );
        }
        Ok(Some(said))
    }
}

fn once<T>(
    name: &str,
    place: &mut Option<T>,
    parser: &mut Parser,
    read: fn(&str) -> Result<T, String>,
) -> Result<(), String> {
    let value = parser.value().map_err(one_line)?;
    let text = value.to_str().ok_or_else(|| format!("--{name} is no UTF-8; allowed is UTF-8"))?;
    let value = read(text).map_err(|wrong| one_line(format!("--{name} {wrong}")))?;
    match place.replace(value) {
        Some(_) => Err(format!("--{name} is given twice; allowed is one")),
        None => Ok(()),
    }
}

/// An address and a port; `localhost` is the loopback interface.
pub(crate) fn listen(text: &str) -> Result<SocketAddr, String> {
    let numeric = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    numeric.parse().map_err(|_| {
        format!("is {text:?}; allowed is an address and a port, such as 127.0.0.1:8080")
    })
}

pub(crate) fn profile(text: &str) -> Result<Kind, String> {
    match text {
        "interactive" => Ok(Kind::Interactive),
        "pipeline" => Ok(Kind::Pipeline),
        _ => Err(format!("is {text:?}; allowed is interactive or pipeline")),
    }
}

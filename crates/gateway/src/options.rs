//! The command line.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf};

use clap::{
    Parser,
    error::{ContextKind, ContextValue, ErrorKind},
};

use evenkeel::config::{Config, ProfileName, ServerKeys};
use http::Uri;
use serde_json::json;

use crate::{
    check::{CheckScope, scope},
    config_file::one_line,
    probe::url,
};

/// The flags, each valid by itself.
#[derive(Clone, Debug, Parser)]
#[command(name = "evenkeel-gateway", version, about = ABOUT, after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// The address and port to listen on [default: 127.0.0.1:8080]
    ///
    /// localhost is 127.0.0.1; port 0 is any free port. The bound address is the one line on standard output. An address that
    /// is not on the loopback interface can be reached by others: a warning is logged.
    #[arg(long, value_name = "ADDR:PORT", value_parser = listen, verbatim_doc_comment)]
    pub(crate) listen: Option<SocketAddr>,
    /// The address and port of the operator's listener: a page, its API, metrics [default: none]
    ///
    /// Such as 127.0.0.1:9090. An address that is not on the loopback interface needs a token: admin.token_env or
    /// admin.token_file in the file, or the variable EVENKEEL_ADMIN_TOKEN. The bound address is the second line on standard
    /// output.
    #[arg(long, value_name = "ADDR:PORT", value_parser = listen, verbatim_doc_comment)]
    pub(crate) admin: Option<SocketAddr>,
    /// The origin that requests are sent to, such as https://api.openai.com
    ///
    /// http:// or https://, host and port; path and query of each request stay as they are. SSL_CERT_FILE names the
    /// certificates to trust [default: those of the system], HTTPS_PROXY a proxy for https. Required without --config.
    /// With --config alone the first of its fallbacks is asked first.
    #[arg(
        long,
        value_name = "URL",
        value_parser = origin,
        required_unless_present_any = ["config", "probe"],
        verbatim_doc_comment
    )]
    pub(crate) upstream: Option<Uri>,
    /// A file with targets, fallbacks and limits
    ///
    /// TOML, or YAML or JSON by its name. gateway.toml in the sources has every key. Keys of APIs are read from the
    /// environment or from files of their own. --listen, --upstream and --profile override the file. It is read again when it
    /// changes and on SIGHUP; a file with an error is refused, and the configuration stays as it was.
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    pub(crate) config: Option<PathBuf>,
    /// The limits to begin with: interactive or pipeline [default: interactive]
    ///
    /// interactive: a person waits, and a call has 30 s, or 2 min where a local model may have to be loaded first and no
    /// other target is configured. pipeline: nobody waits, a call has 15 min, and a stream is passed on when it is complete.
    #[arg(long, value_name = "NAME", value_parser = profile, verbatim_doc_comment)]
    pub(crate) profile: Option<ProfileName>,
    /// Checks the command line and the file, asks every target of the file once, and exits
    ///
    /// Each target gets one short request with its own key and model, which is billed. A table on standard output has what
    /// each answered. --check=config checks the command line and the file alone, without a network. The upstream of --upstream
    /// is not asked, as its keys are those of the callers.
    #[arg(
        long,
        value_name = "WHAT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "targets",
        value_parser = scope,
        verbatim_doc_comment
    )]
    pub(crate) check: Option<CheckScope>,
    /// The model that --check names for targets without one of their own
    #[arg(long, value_name = "MODEL", requires = "check", verbatim_doc_comment)]
    pub(crate) check_model: Option<String>,
    /// Asks the gateway that is running whether it answers, and exits: 0 if it does, 1 if not
    ///
    /// One request for /healthz at the address of --listen or of the file, or at URL, with 3 s to answer with status 200. For
    /// health checks where there is no shell. Beside it only --listen and --config matter.
    #[arg(
        long,
        value_name = "URL",
        num_args = 0..=1,
        require_equals = true,
        conflicts_with_all = ["check", "check_model"],
        value_parser = url,
        verbatim_doc_comment
    )]
    pub(crate) probe: Option<Option<Uri>>,
    /// Injects the faults of the table [chaos] of the file, on purpose
    ///
    /// For a game day, in a build with the feature chaos. They end after an hour, or for_at_most of the table, and at once with
    /// SIGUSR2. Answers with a fault have the header evenkeel-chaos; GET /healthz has "chaos": "on".
    #[arg(long, verbatim_doc_comment)]
    pub(crate) chaos: bool,
}

/// The parsed command line.
#[derive(Debug)]
pub(crate) enum CommandLine {
    /// To listen.
    Serve(Options),
    /// To ask a gateway that is running: `--probe`.
    Probe(Options),
    /// To print a text and exit: `--help`, `--version`.
    Print(String),
}

const ABOUT: &str = "\
Stands between AI clients and an AI API and keeps calls going when the API fails: timeouts, retries, a circuit breaker,
fallbacks. Knows OpenAI, Anthropic, Gemini and Ollama; every other path is passed through.";

const AFTER_HELP: &str = "\
Headers of a request, for that request alone; they are not sent to the upstream:
  evenkeel-fallbacks: MODEL[,MODEL]  other models of the same upstream and key, asked in this order, at most 8
  evenkeel-commit: complete          a stream is passed on when it is whole, or as an error [default: first-content]
  evenkeel-deadline-ms: N            the time of the call, in milliseconds [default: that of the profile]
  evenkeel-priority: batch           waits behind interactive calls [default: interactive]
  evenkeel-affinity: KEY             calls with the same key go to the same one of equal targets; older name:
                                     evenkeel-sticky
  evenkeel-tenant: NAME              stored answers are kept apart by it, for each key of a caller [default: none]
  evenkeel-token: TOKEN              the token of a [[caller]] of the file, beside a key of the caller's own; otherwise it is
                                     sent in the place of the key
  evenkeel-mid-stream-failure: continue
                                     a stream that breaks goes on at a target that can continue it, or ends in an error
                                     (error) [default: mid_stream_failure of the file]
  evenkeel-dialect: DIALECT          openai-chat, openai-responses, anthropic, gemini or ollama [default: by the path]

Headers of a response:
  evenkeel-served-by                 who gave it: primary, a model, the name of a target; gateway for an error made here
  evenkeel-attempts                  how many requests were sent to upstreams

GET /healthz lists the states of the routes; GET /readyz is 200 while calls are accepted, 503 during a drain. --admin adds
a listener for the operator, with a page, its API and GET /metrics. RUST_LOG sets the logs on standard error, such as warn
or evenkeel=debug [default: info]; they never have a key, a prompt or an answer. SIGHUP reads the file of --config again, as
does a change of it: calls under way end as they began, and breakers, limits and stored answers are kept. After SIGTERM or
SIGINT requests in flight have 30 s (limits.drain) to end; a second signal ends the process at once.

Exit status: 0 after a shutdown, 3 after one that cut answers, 2 when the command line or the file is wrong, 1 when it
cannot listen. With --check: 0 when everything is right and every target answered, 1 when a target failed or could not
be asked, 2 as above. With --probe: 0 when the gateway answered, 1 when it did not, 2 as above.";

// === impl Options ===

impl Options {
    /// Parses the arguments, of which the first is the name of the program. The error is one line, and repeats no
    /// argument that may be a key.
    pub(crate) fn parse(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<CommandLine, String> {
        match Self::try_parse_from(arguments) {
            Ok(options) if options.probe.is_some() => Ok(CommandLine::Probe(options)),
            Ok(options) => Ok(CommandLine::Serve(options)),
            Err(error) if error.exit_code() == 0 => {
                Ok(CommandLine::Print(error.to_string().trim_end().to_owned()))
            }
            Err(error) => Err(one_line(reason(&error))),
        }
    }
}

/// The error and what is allowed. clap's own text shows values, and a value may be a key.
fn reason(error: &clap::Error) -> String {
    match (error.kind(), flag_of(error)) {
        (ErrorKind::ValueValidation, Some(flag)) => match std::error::Error::source(error) {
            Some(what) => format!("{flag} {what}"),
            None => format!("{flag} is wrong; allowed is what --help lists"),
        },
        (ErrorKind::InvalidUtf8, _) => "an argument is not UTF-8; allowed is UTF-8".into(),
        (ErrorKind::InvalidValue, Some(flag)) => {
            format!("{flag} has no value; allowed is one value after it")
        }
        (ErrorKind::ArgumentConflict, Some(flag)) => match flag_in(error, ContextKind::PriorArg) {
            Some(other) if other != flag => format!("{flag} excludes {other}; allowed is one"),
            _ => format!("{flag} is given twice; allowed is one"),
        },
        (ErrorKind::MissingRequiredArgument, Some("--check")) => {
            "--check-model has no effect; allowed is it together with --check".into()
        }
        (ErrorKind::MissingRequiredArgument, Some(flag)) => {
            format!("{flag} is missing; allowed is an origin such as http://127.0.0.1:11434")
        }
        (ErrorKind::UnknownArgument, Some(flag)) => {
            format!("{flag} is no option; allowed is what --help lists")
        }
        // The argument may be a key in the wrong place.
        _ => "an argument is no option; allowed is what --help lists".into(),
    }
}

/// The flag that an error is about: `--upstream` of `--upstream <URL>` and of `--upstream=URL`, `--check` of `--check[=<WHAT>]`.
fn flag_of(error: &clap::Error) -> Option<&str> {
    flag_in(error, ContextKind::InvalidArg)
}

fn flag_in(error: &clap::Error, context: ContextKind) -> Option<&str> {
    let argument = match error.get(context)? {
        ContextValue::String(text) => text,
        ContextValue::Strings(texts) => texts.first()?,
        _ => return None,
    };
    let flag = argument.split([' ', '=', '[']).next()?;
    flag.starts_with('-').then_some(flag)
}

/// A flag that is a key of the file as well.
fn key(name: &str, text: &str) -> Result<ServerKeys, String> {
    let config = Config::from_value(json!({ name: text }));
    let settings = config.and_then(|config| config.settings(|_| None));
    settings.map(|settings| settings.server).map_err(|error| error.reason().to_owned())
}

fn listen(text: &str) -> Result<SocketAddr, String> {
    key("listen", text)?.listen.ok_or_else(String::new)
}

fn origin(text: &str) -> Result<Uri, String> {
    key("upstream", text)?.upstream.ok_or_else(String::new)
}

fn profile(text: &str) -> Result<ProfileName, String> {
    match text {
        "interactive" => Ok(ProfileName::Interactive),
        "pipeline" => Ok(ProfileName::Pipeline),
        _ => Err(format!("is {text:?}; allowed is interactive or pipeline")),
    }
}

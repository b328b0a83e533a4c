//! evenkeel as a process, for everybody who does not write Rust: point a client's base URL at it.
//!
//!     cargo run --release --example gateway -- --upstream http://127.0.0.1:11434
//!
//! It prints one line on standard output, `listening on http://127.0.0.1:8080`, with the address it really has; logs go to
//! standard error. `--help` tells the flags, `gateway.toml` beside this file what a configuration can say, `sdks.py` drives
//! it with the official Python SDKs.
//!
//! | file | what it does |
//! |---|---|
//! | `options.rs`, `config.rs`, `limits.rs`, `traffic.rs`, `identity.rs`, `place.rs` | what the command line and the file say, and where they are wrong |
//! | `targets.rs`, `keys.rs`, `skills.rs` | the rungs of the file |
//! | `setup.rs` | both together: evenkeel's clients, ready to be asked |
//! | `serve.rs` | the listener, its bounds, its end |
//! | `proxy.rs` | one request, there and back |
//! | `wish.rs`, `heads.rs`, `upload.rs` | what a caller wishes for; which headers go on; which body streams |
//! | `wire.rs` | sends it, path and query byte for byte |
//! | `errors.rs`, `tail.rs`, `edge.rs` | errors in the caller's own language, before the head and after it |
//! | `health.rs` | the states of the routes |

mod config;
mod edge;
mod errors;
mod heads;
mod health;
mod identity;
mod keys;
mod limits;
mod options;
mod place;
mod proxy;
mod serve;
mod setup;
mod skills;
mod tail;
mod targets;
#[cfg(test)]
mod tests;
mod traffic;
mod upload;
mod wire;
mod wish;

use std::{ffi::OsString, io::Write, process::ExitCode};

use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use self::{
    options::{HELP, Options},
    setup::Setup,
};

fn main() -> ExitCode {
    start(std::env::args_os().skip(1))
}

/// All that the process does.
pub(crate) fn start(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let read = Options::read(arguments);
    let setup = match read.and_then(|options| options.map(Setup::new).transpose()) {
        Ok(Some(setup)) => setup,
        Ok(None) => return say(HELP),
        Err(line) => {
            eprintln!("gateway: {line}");
            return ExitCode::from(2);
        }
    };
    log(std::env::var("RUST_LOG").ok().as_deref());
    match run(setup) {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            eprintln!("gateway: {line}");
            ExitCode::FAILURE
        }
    }
}

/// Logs to standard error; `RUST_LOG` says how much, such as `warn` or `evenkeel=debug`.
fn log(wanted: Option<&str>) {
    let usual = || Targets::new().with_default(tracing::Level::INFO);
    let read = wanted.filter(|text| !text.trim().is_empty()).map(str::parse::<Targets>);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let wrong = matches!(read, Some(Err(_)));
    let filter = read.and_then(Result::ok).unwrap_or_else(usual);
    tracing_subscriber::registry().with(lines).with(filter).init();
    if wrong {
        tracing::warn!(
            "RUST_LOG is not understood; allowed is a level, or target=level with commas"
        );
    }
}

fn run(setup: Setup) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    let result = runtime.block_on(async {
        let stop = serve::signals().map_err(|error| format!("no signals: {error}"))?;
        let listener = serve::Listening::on(setup).await?;
        if !listener.address().ip().is_loopback() {
            tracing::warn!(
                "listening beyond this machine: whoever can reach {} can use the upstream, and the keys of the targets",
                listener.address()
            );
        }
        say(&format!("listening on http://{}", listener.address()));
        listener.run(stop).await;
        Ok(())
    });
    // What is still under way has had its time.
    runtime.shutdown_background();
    result
}

/// Says it on standard output. Whoever closed that does not want to hear it.
fn say(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    ExitCode::SUCCESS
}

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
//! | `options.rs`, `config.rs`, `limits.rs`, `targets.rs`, `place.rs` | what the command line and the file say, and where they are wrong |
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
mod limits;
mod options;
mod place;
mod proxy;
mod serve;
mod setup;
mod tail;
mod targets;
#[cfg(test)]
mod tests;

mod upload;
mod wire;
mod wish;

use std::{ffi::OsString, io::Write, process::ExitCode};

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
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false);
    log.with_max_level(tracing::Level::INFO).init();
    match run(setup) {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            eprintln!("gateway: {line}");
            ExitCode::FAILURE
        }
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

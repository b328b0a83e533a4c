//! evenkeel as a local proxy, for clients in any language: point the base URL of a client at it.
//!
//! ```sh
//! cargo install evenkeel-gateway
//! evenkeel-gateway --upstream https://api.openai.com
//! ```
//!
//! Standard output has one line, `listening on http://127.0.0.1:8080`, with the address that is bound. Logs go to standard
//! error. `--help` lists the flags; `gateway.toml` in this crate has every key of a configuration file.
//!
//! # Features
//!
//! `tls` (default): `https://` upstreams, by rustls with the certificates of the system. `SSL_CERT_FILE` and `SSL_CERT_DIR`
//! name others. Without the feature an `https://` upstream is an error at start.
//!
//! `chaos`: faults on purpose, for a game day (`evenkeel::chaos`). They need the feature, a table `[chaos]` in the file, and
//! `--chaos`. SIGUSR2 switches them off; without the feature it changes nothing.
//!
//! # The files
//!
//! | file | what it does |
//! |---|---|
//! | `options` | the command line |
//! | `config_file` | the configuration file, in the format of `evenkeel::config`, and the line that an error in it is about |
//! | `limits` | the limits of the gateway itself |
//! | `setup` | combines both: the evenkeel clients that answer requests |
//! | `chaos` | `--chaos`: faults on purpose, and their kill switch |
//! | `check` | `--check`: every target is asked once |
//! | `server` | the listener and its connections, their limits, the shutdown |
//! | `call` | one call: headers, body, response, errors in the caller's dialect |
//! | `transport` | sends a request over HTTP or HTTPS; path and query stay as they are |
//! | `health` | `/healthz`: the state of each route |

mod call;
#[cfg(feature = "chaos")]
mod chaos;
#[cfg(not(feature = "chaos"))]
#[path = "no_chaos.rs"]
mod chaos;
mod check;
mod config_file;
mod health;
mod limits;
mod options;
mod server;
mod setup;
#[cfg(test)]
mod tests;
mod transport;

use std::{ffi::OsString, io::Write, process::ExitCode};

use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use self::{
    check::CheckPlan,
    options::{CommandLine, Options},
    setup::Setup,
};

/// Runs the process: parses the arguments (the first is the name of the program), listens, and returns after SIGTERM or
/// SIGINT.
///
/// Exit status: 0 after a shutdown, `--help` or `--version`; 2 when the command line or the configuration file is wrong; 1
/// when it cannot listen. With `--check`: 0 when every target answered, 1 when one did not, 2 as before. An error is one line on
/// standard error.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let setup = match Options::parse(arguments) {
        Ok(CommandLine::Print(text)) => {
            print_line(&text);
            return ExitCode::SUCCESS;
        }
        Ok(CommandLine::Serve(options)) => Setup::new(options),
        Err(line) => Err(line),
    };
    let setup = match setup {
        Ok(setup) => setup,
        Err(line) => {
            eprintln!("evenkeel-gateway: {line}");
            return ExitCode::from(2);
        }
    };
    run_setup(setup).unwrap_or_else(|line| {
        eprintln!("evenkeel-gateway: {line}");
        ExitCode::FAILURE
    })
}

/// Checks, or serves until the shutdown.
fn run_setup(setup: Setup) -> Result<ExitCode, String> {
    let filter = std::env::var("RUST_LOG").ok();
    match &setup.check {
        Some(plan) => {
            // The table has the failures.
            start_logs(filter.as_deref(), tracing::Level::ERROR);
            check_targets(plan, &setup)
        }
        None => {
            start_logs(filter.as_deref(), tracing::Level::INFO);
            serve_until_shutdown(setup).map(|()| ExitCode::SUCCESS)
        }
    }
}

/// Logs to standard error; `filter` is `RUST_LOG`, such as `warn` or `evenkeel=debug`.
fn start_logs(filter: Option<&str>, level: tracing::Level) {
    let default = || Targets::new().with_default(level);
    let parsed = filter.filter(|text| !text.trim().is_empty()).map(str::parse::<Targets>);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let wrong = matches!(parsed, Some(Err(_)));
    let filter = parsed.and_then(Result::ok).unwrap_or_else(default);
    tracing_subscriber::registry().with(lines).with(filter).init();
    if wrong {
        tracing::warn!(
            "RUST_LOG is not understood; allowed is a level, or target=level with commas"
        );
    }
}

/// Prints what `--check` has found.
fn check_targets(plan: &CheckPlan, setup: &Setup) -> Result<ExitCode, String> {
    let CheckPlan::Targets { checks, model } = plan else {
        print_line("the configuration is valid");
        return Ok(ExitCode::SUCCESS);
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    let run = check::run(checks, &setup.gateway.origin, model.as_deref());
    let report = runtime.block_on(run);
    print_line(&report.to_string());
    Ok(if report.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn serve_until_shutdown(setup: Setup) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    let result = runtime.block_on(async {
        let shutdown = server::signals().map_err(|error| format!("no signals: {error}"))?;
        let chaos = setup.gateway.chaos.clone();
        let kill = chaos.clone();
        server::on_kill_switch(move || kill.stop()).map_err(|error| format!("no signals: {error}"))?;
        let server = server::GatewayServer::bind(setup).await?;
        chaos.start();
        if !server.address().ip().is_loopback() {
            tracing::warn!(
                "listening beyond this machine: whoever can reach {} can use the upstream, and the keys of the targets",
                server.address()
            );
        }
        print_line(&format!("listening on http://{}", server.address()));
        server.run(shutdown).await;
        Ok(())
    });
    // Requests in flight have had the drain time.
    runtime.shutdown_background();
    result
}

/// Prints a line on standard output. A closed standard output is not an error, because nothing reads it.
fn print_line(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

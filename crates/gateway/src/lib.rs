//! evenkeel as a local proxy, for clients in any language: point the base URL of a client at it.
//!
//! ```sh
//! cargo install evenkeel-gateway
//! evenkeel-gateway --upstream https://api.openai.com
//! ```
//!
//! Standard output has one line, `listening on http://127.0.0.1:8080`, with the address that is bound, and with `--admin` a second
//! one, `admin on http://127.0.0.1:9090`. Logs go to standard error. `--help` lists the flags; `gateway.toml` in this crate has every key of a configuration file.
//!
//! # Features
//!
//! `tls` (default): `https://` upstreams, by rustls with the certificates of the system, and TLS for the listener (`[tls]`). `SSL_CERT_FILE` and `SSL_CERT_DIR`
//! name others. Without the feature an `https://` upstream and `[tls]` are errors at start.
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
//! | `setup` | combines both into the setup of the server |
//! | `gateway` | the evenkeel clients that answer requests, and who may use them |
//! | `chaos` | `--chaos`: faults on purpose, and their kill switch |
//! | `check` | `--check`: every target is asked once |
//! | `access` | who may use it: hosts, web pages, paths, callers with tokens |
//! | `logs` | logs on standard error, which no call waits for |
//! | `own_address` | refuses an upstream that is the gateway itself |
//! | `probe` | `--probe`: a gateway that is running is asked whether it answers |
//! | `server` | the listener and its connections, their limits, the shutdown |
//! | `call` | one call: headers, body, response, errors in the caller's dialect |
//! | `transport` | sends a request over HTTP or HTTPS; path and query stay as they are |
//! | `reload` | reads the configuration file again when it changes, and on SIGHUP |
//! | `health` | `/healthz`: the state of each route; `/readyz`: whether calls are accepted |
//! | `routes` | the routes of the clients, those of most interest first |
//! | `admin` | the operator's listener: a page, its API, metrics |

mod access;
mod admin;
mod call;
#[cfg(feature = "chaos")]
mod chaos;
#[cfg(not(feature = "chaos"))]
#[path = "no_chaos.rs"]
mod chaos;
mod check;
mod config_file;
mod gateway;
mod health;
mod limits;
mod logs;
mod options;
mod own_address;
mod probe;
mod reload;
mod routes;
mod server;
mod setup;
#[cfg(test)]
mod tests;
mod transport;

use std::{ffi::OsString, io::Write, process::ExitCode};

use self::{
    check::CheckPlan,
    options::{CommandLine, Options},
    probe::ProbeError,
    setup::Setup,
};

/// The exit status after a shutdown that cut answers.
const CUT: u8 = 3;

/// Runs the process: parses the arguments (the first is the name of the program), listens, and returns after SIGTERM or
/// SIGINT.
///
/// Exit status: 0 after a shutdown, `--help` or `--version`; 3 after a shutdown that cut answers, as the drain time or a second
/// signal ended it; 2 when the command line or the configuration file is wrong; 1 when it cannot listen. With `--check`: 0 when every
/// target answered, 1 when one did not, 2 as before. With `--probe`: 0 when the gateway answered, 1 when it did not, 2 as before. An
/// error is one line on standard error.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let setup = match Options::parse(arguments) {
        Ok(CommandLine::Print(text)) => {
            print_line(&text);
            return ExitCode::SUCCESS;
        }
        Ok(CommandLine::Probe(options)) => return probe_gateway(&options),
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
    // The table of a check has the failures.
    let level = if setup.check.is_some() { tracing::Level::ERROR } else { tracing::Level::INFO };
    let logs = logs::start(filter.as_deref(), level);
    let status = match &setup.check {
        Some(plan) => check_targets(plan, &setup),
        None => serve_until_shutdown(setup),
    };
    logs.flush();
    status
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

/// Asks the gateway that is running, and prints the result.
fn probe_gateway(options: &Options) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(probe::probe(options)),
        Err(error) => Err(ProbeError::Failed(format!("no runtime: {error}"))),
    };
    match result {
        Ok(line) => {
            print_line(&line);
            ExitCode::SUCCESS
        }
        Err(ProbeError::Failed(line)) => {
            eprintln!("evenkeel-gateway: {line}");
            ExitCode::FAILURE
        }
        Err(ProbeError::Config(line)) => {
            eprintln!("evenkeel-gateway: {line}");
            ExitCode::from(2)
        }
    }
}

fn serve_until_shutdown(mut setup: Setup) -> Result<ExitCode, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    logs::log_panics();
    setup.limits.edges.connections = server::fit(setup.limits.edges.connections);
    let result = runtime.block_on(async {
        let shutdown = server::signals().map_err(|error| format!("no signals: {error}"))?;
        let exposure = setup.exposure.clone();
        let source = reload::Source::new(&setup);
        let chaos = setup.gateway.chaos.clone();
        let kill = chaos.clone();
        server::on_kill_switch(move || kill.stop())
            .map_err(|error| format!("no signals: {error}"))?;
        let server = server::GatewayServer::bind(setup).await?;
        chaos.start();
        reload::start(source, server.current().clone());
        if let Some(warning) = exposure.warning(server.address()) {
            tracing::warn!("{warning}");
        }
        print_line(&format!("listening on {}", server.url()));
        if let Some(address) = server.admin_address() {
            print_line(&format!("admin on http://{address}"));
        }
        let ended = server.run(shutdown).await;
        Ok(if ended.cut == 0 { ExitCode::SUCCESS } else { ExitCode::from(CUT) })
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

//! The gateway for long and for many: memory, descriptors and calls a second, in health and under faults.
//!
//! Provider, gateway and client are processes of their own, on loopback. Linux only: the figures are read from `/proc`.
//!
//! ```text
//! cargo bench -p evenkeel-gateway --bench endurance -- soak --seconds 600
//! cargo bench -p evenkeel-gateway --bench endurance -- streams --count 3000
//! cargo bench -p evenkeel-gateway --bench endurance -- keys --keys 60000 --models 30000
//! cargo bench -p evenkeel-gateway --bench endurance -- load --also http://127.0.0.1:4000
//! ```
//!
//! The exit status is 1 where a bound does not hold: a call without an answer, or memory or descriptors that stay.

#[cfg(target_os = "linux")]
mod answer;
#[cfg(target_os = "linux")]
mod faults;
#[cfg(target_os = "linux")]
mod keys;
#[cfg(target_os = "linux")]
mod load;
#[path = "../support/process.rs"]
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod soak;
#[cfg(target_os = "linux")]
mod streams;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
#[derive(Debug, clap::Parser)]
struct Arguments {
    #[command(subcommand)]
    work: Option<Work>,
    /// Set by `cargo bench`.
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[cfg(target_os = "linux")]
#[derive(Debug, clap::Subcommand)]
enum Work {
    /// Calls under every fault, some of them cancelled
    Soak(soak::Soak),
    /// Streams that are open at the same time
    Streams(streams::Streams),
    /// Callers with keys and models of their own
    Keys(keys::Keys),
    /// Calls a second and CPU time a call
    Load(load::Load),
    /// The provider's process
    #[command(hide = true)]
    Provide(faults::Provide),
}

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let Arguments { work, .. } = clap::Parser::parse();
    let Some(work) = work else {
        println!("endurance: name a work; --help lists them");
        return ExitCode::SUCCESS;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = runtime.map_err(process::Any::from).and_then(|runtime| {
        runtime.block_on(async {
            match work {
                Work::Soak(soak) => soak.run().await,
                Work::Streams(streams) => streams.run().await,
                Work::Keys(keys) => keys.run().await,
                Work::Load(load) => load.run().await,
                Work::Provide(provide) => provide.run().await,
            }
        })
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("endurance: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    println!("endurance: the figures are read from /proc, which this system does not have");
    ExitCode::SUCCESS
}

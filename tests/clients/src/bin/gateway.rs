//! The binary of `evenkeel-gateway`, because cargo does not build the binaries of a dependency.

use std::process::ExitCode;

fn main() -> ExitCode {
    evenkeel_gateway::run(std::env::args_os())
}

//! The binary of `evenkeel-gateway`: cargo builds no binaries of a dependency.

use std::process::ExitCode;

fn main() -> ExitCode {
    evenkeel_gateway::run(std::env::args_os())
}

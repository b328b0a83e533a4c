//! The binary; see the library of this package.

use std::process::ExitCode;

fn main() -> ExitCode {
    evenkeel_gateway::run(std::env::args_os())
}

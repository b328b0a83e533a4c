//! A content pipeline that loses no work: it reads prompts in JSONL and writes answers in JSONL, several at a time.
//!
//!     cargo run --release --example pipeline                       # a demonstration on an embedded provider
//!     cargo run --release --example pipeline -- --in prompts.jsonl --out answers.jsonl --model gpt-4o-mini
//!
//! A line of the input is `{"id": "…", "prompt": "…"}`, or has `messages` in place of `prompt`. A line of the output is
//! `{"id": "…", "answer": "…", "model": "…", "fallback": "…", "attempts": 1}`. Every prompt is answered once. A run that was
//! killed continues when it is started again, because the output is its journal.
//!
//! A prompt that no target could answer is a line of `answers.jsonl.failed`:
//! `{"id": "…", "error": "…", "attempt_log": "…"}`. The exit status is then 1, and the next run sends the prompt again.

mod ask;
mod bar;
mod cli;
mod demo;
mod input;
mod journal;
mod options;
mod work;

use std::process::ExitCode;

use cli::{HELP, Invocation};
pub(crate) use evenkeel::BoxError;
use options::Options;

fn main() -> ExitCode {
    let invocation = match Invocation::read(std::env::args_os().skip(1)) {
        Ok(invocation) => invocation,
        Err(line) => {
            eprintln!("pipeline: {line}");
            return ExitCode::from(2);
        }
    };
    let succeeded = match invocation {
        Invocation::Help => {
            println!("{HELP}");
            Ok(true)
        }
        Invocation::Demo { seed } => demo::run(seed),
        Invocation::Run(options) => run(&options),
    };
    match succeeded {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("pipeline: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Answers the prompts. Returns whether every prompt has an answer now.
fn run(options: &Options) -> Result<bool, BoxError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let summary = runtime.block_on(work::run(options));
    // No result depends on the attempts that are still in flight.
    runtime.shutdown_background();
    let summary = summary?;
    eprintln!("{summary}");
    Ok(summary.failed == 0 && !summary.stopped)
}

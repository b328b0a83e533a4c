//! A content pipeline that loses no work: prompts in JSONL in, answers in JSONL out, so many at a time.
//!
//!     cargo run --release --example pipeline                       # a demonstration on an embedded provider
//!     cargo run --release --example pipeline -- --in prompts.jsonl --out answers.jsonl --model gpt-4o-mini
//!
//! A line of the input is `{"id": "…", "prompt": "…"}`, or has `messages` in place of the prompt; a line of the output is
//! `{"id": "…", "answer": "…", "model": "…", "rung": "…", "attempts": 1}`. Every prompt is answered once. A run that was
//! killed goes on where it was when it is started again: the output is its journal. What no target could answer is in
//! `answers.jsonl.failed` with its attempt log, and is asked again by the next run; the exit status is 1 then.

mod ask;
mod bar;
mod drill;
mod input;
mod journal;
mod options;
mod work;

use std::process::ExitCode;

use options::{HELP, Options, Wanted};

/// What ends a run.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let wanted = match Wanted::read(std::env::args_os().skip(1)) {
        Ok(wanted) => wanted,
        Err(line) => {
            eprintln!("pipeline: {line}");
            return ExitCode::from(2);
        }
    };
    let done = match wanted {
        Wanted::Help => {
            println!("{HELP}");
            Ok(true)
        }
        Wanted::Drill(seed) => drill::run(seed),
        Wanted::Run(options) => run(&options),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("pipeline: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every prompt has an answer now.
fn run(options: &Options) -> Result<bool, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(work::run(options));
    // Attempts that are under way are nobody's any more.
    runtime.shutdown_background();
    let done = done?;
    eprintln!("{done}");
    Ok(done.failed == 0 && !done.stopped)
}

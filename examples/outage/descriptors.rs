//! Raises the limit of open files to the number of sockets that a live run needs.

use super::plan::RunPlan;

/// Files and sockets that the program needs beside those of the calls.
const BASE_FILES: u64 = 200;

/// Raises the limit of open files as far as the run needs, or returns an error that names the rate that is possible.
pub(crate) fn raise_limit(plan: &RunPlan) -> Result<(), String> {
    let required = required_files(plan.rate, plan.scale());
    let allowed = allowed_files(required);
    if allowed >= required {
        return Ok(());
    }
    let for_calls = allowed.saturating_sub(BASE_FILES) as f64;
    let max_rate = plan.rate * for_calls / (required - BASE_FILES) as f64;
    let rate = plan.rate;
    Err(format!(
        "--rate must be at most {max_rate:.0} where the system allows {allowed} open files (got {rate}); see ulimit -n"
    ))
}

/// The number of open files that a live run needs at most.
///
/// A hung call of `plain` or `retries` holds both ends of a connection for two minutes. Half as much again is added for the
/// calls that are answered.
fn required_files(rate: f64, scale: f64) -> u64 {
    let hung = rate / 60.0 / scale * (120.0 * scale);
    BASE_FILES + (2.5 * 2.0 * hung).ceil() as u64
}

#[cfg(unix)]
fn allowed_files(required: u64) -> u64 {
    // Where the limit cannot be raised, the current soft limit is what the caller compares with.
    rlimit::increase_nofile_limit(required)
        .unwrap_or_else(|_| rlimit::Resource::NOFILE.get_soft().unwrap_or(required))
}

#[cfg(not(unix))]
fn allowed_files(required: u64) -> u64 {
    required
}

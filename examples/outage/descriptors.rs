//! As many sockets as a live run holds open.

use super::plan::Plan;

/// Files and sockets of the program itself.
const OWN: u64 = 200;

/// Sees to it that the system allows as many open sockets as the run may need.
pub(crate) fn provide(plan: &Plan) -> Result<(), String> {
    let needed = needed(plan.rate, plan.scale());
    let allowed = allowed(needed);
    if allowed >= needed {
        return Ok(());
    }
    let most = plan.rate * allowed.saturating_sub(OWN) as f64 / (needed - OWN) as f64;
    let rate = plan.rate;
    Err(format!(
        "--rate is {rate}; the {allowed} open files that this system allows are enough for {most:.0} (see ulimit -n)"
    ))
}

/// A hung call of either client without a limit of its own holds both ends of a connection for two minutes; another half
/// for the calls that are answered.
fn needed(rate: f64, scale: f64) -> u64 {
    let hung = rate / 60.0 / scale * (120.0 * scale);
    OWN + (2.5 * 2.0 * hung).ceil() as u64
}

#[cfg(unix)]
fn allowed(needed: u64) -> u64 {
    // What cannot be raised is seen from what is allowed in the end.
    rlimit::increase_nofile_limit(needed)
        .unwrap_or_else(|_| rlimit::Resource::NOFILE.get_soft().unwrap_or(needed))
}

#[cfg(not(unix))]
fn allowed(needed: u64) -> u64 {
    needed
}

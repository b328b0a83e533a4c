//! Whether evenkeel kept its bounds.

use std::time::Duration;

use evenkeel::testkit::Figures;

/// Attempts on a primary that is down, for each call of that time.
const PRESSURE: f64 = 0.05;
/// How soon an outage is noticed, in seconds.
const DETECT: f64 = 15.0;
/// How soon the primary is in use again, in seconds.
const RECOVER: f64 = 90.0;
/// How long all of it may take.
const RUN: Duration = Duration::from_secs(20);

/// The bounds that were missed: one line each.
pub(crate) fn missed(figures: &Figures, took: Duration) -> Vec<String> {
    let mut missed = Vec::new();
    for (name, number) in [("error", figures.error), ("late", figures.late), ("hung", figures.hung)]
    {
        if number > 0 {
            missed.push(format!("{name} is {number}; allowed is 0"));
        }
    }
    let most = PRESSURE * figures.calls_down as f64;
    if figures.attempts_primary_down as f64 > most {
        let (is, of) = (figures.attempts_primary_down, figures.calls_down);
        missed.push(format!(
            "attempts_primary_down is {is} of {of} calls_down; allowed is at most {most:.0}"
        ));
    }
    for (name, times, most) in
        [("detect_s", &figures.detect_s, DETECT), ("recover_s", &figures.recover_s, RECOVER)]
    {
        if !times.iter().all(|time| time.is_some_and(|time| time <= most)) {
            missed.push(format!("{name} is {times:?}; allowed is at most {most} each"));
        }
    }
    if took > RUN {
        missed.push(format!("the run took {took:.1?}; allowed is at most {RUN:?}"));
    }
    missed
}

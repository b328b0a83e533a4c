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

#[cfg(test)]
mod tests {
    use super::*;

    type Spoil = fn(&mut Figures);

    /// Figures within every bound, just so.
    fn good() -> Figures {
        let mut figures = Figures::default();
        (figures.calls_down, figures.attempts_primary_down) = (100, 5);
        (figures.detect_s, figures.recover_s) = (vec![Some(15.0)], vec![Some(90.0), Some(0.0)]);
        figures
    }

    #[test]
    fn what_is_within_its_bounds_misses_none() {
        assert_eq!(missed(&good(), RUN), Vec::<String>::new());
    }

    #[test]
    fn every_bound_is_named_that_was_missed() {
        let spoilt: [(&str, Spoil); 7] = [
            ("error", |f| f.error = 1),
            ("late", |f| f.late = 1),
            ("hung", |f| f.hung = 1),
            ("attempts_primary_down", |f| f.attempts_primary_down = 6),
            ("detect_s", |f| f.detect_s = vec![Some(1.0), Some(15.1)]),
            ("detect_s", |f| f.detect_s = vec![None]),
            ("recover_s", |f| f.recover_s = vec![None]),
        ];
        for (name, spoil) in spoilt {
            let mut figures = good();
            spoil(&mut figures);
            let missed = missed(&figures, RUN);
            assert!(missed.len() == 1 && missed[0].starts_with(name), "{missed:?}");
        }
        assert!(missed(&good(), RUN * 2)[0].starts_with("the run took"));
    }
}

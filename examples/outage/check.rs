//! Whether evenkeel and steps kept their bounds.

use std::time::Duration;

use evenkeel::testkit::{Figures, drill::Report};

use super::clients::NAMES;

/// Attempts on a primary that is down, for each call of that time.
const PRESSURE: f64 = 0.05;
/// How soon an outage is noticed, in seconds.
const DETECT: f64 = 5.0;
/// The same for steps, whose three routes at one provider each have to show it, one after another.
const DETECT_BY_STEPS: f64 = 25.0;
/// How soon the primary is in use again, in seconds.
const RECOVER: f64 = 90.0;
/// The part of the calls with a tool that is gone which the primary answers without it; and of all calls then.
const WITHOUT: f64 = 0.99;
/// How long all of it may take.
const RUN: Duration = Duration::from_secs(20);

/// The bounds that were missed: one line each.
pub(crate) fn missed(report: &Report, took: Duration) -> Vec<String> {
    let mut missed = Vec::new();
    for figures in report.clients.iter().filter(|it| NAMES[2..].contains(&&*it.name)) {
        let mut lines = by(figures);
        if figures.name == NAMES[3] {
            lines.extend(without(figures));
        }
        missed.extend(lines.into_iter().map(|line| format!("{}: {line}", figures.name)));
    }
    if took > RUN {
        missed.push(format!("the run took {took:.1?}; allowed is at most {RUN:?}"));
    }
    missed
}

/// The bounds that a client has missed, whatever the incident.
fn by(figures: &Figures) -> Vec<String> {
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
    let detect = if figures.name == NAMES[3] { DETECT_BY_STEPS } else { DETECT };
    for (name, times, most) in
        [("detect_s", &figures.detect_s, detect), ("recover_s", &figures.recover_s, RECOVER)]
    {
        if !times.iter().all(|time| time.is_some_and(|time| time <= most)) {
            missed.push(format!("{name} is {times:?}; allowed is at most {most} each"));
        }
    }
    missed
}

/// The bounds of an incident about tools that a client has missed which can do without them.
fn without(figures: &Figures) -> Vec<String> {
    let Some(tools) = figures.tools else { return Vec::new() };
    let parts = [
        ("tools.primary_without", tools.primary_without, tools.calls),
        ("primary", figures.primary, figures.calls),
    ];
    let short = parts.iter().filter(|(_, part, of)| (*part as f64) < WITHOUT * *of as f64);
    let line = |(name, part, of): &(&str, u64, u64)| {
        let percent = 100.0 * WITHOUT;
        format!("{name} is {part} of {of} calls; allowed is at least {percent} %")
    };
    short.map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::tests::report;
    use evenkeel::testkit::drill::ToolFigures;

    type Spoil = fn(&mut Figures);

    /// Figures of all clients, within every bound, just so.
    fn good() -> Report {
        let mut report = report([[1000, 0, 0]; 4]);
        for figures in &mut report.clients {
            (figures.calls_down, figures.attempts_primary_down) = (100, 5);
            (figures.detect_s, figures.recover_s) = (vec![Some(5.0)], vec![Some(90.0), Some(0.0)]);
            let mut tools = ToolFigures::default();
            (tools.calls, tools.primary_without) = (100, 99);
            (figures.tools, figures.primary) = (Some(tools), 990);
        }
        report
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
            ("detect_s", |f| f.detect_s = vec![Some(1.0), Some(25.1)]),
            ("detect_s", |f| f.detect_s = vec![None]),
            ("recover_s", |f| f.recover_s = vec![None]),
        ];
        for (n, client) in NAMES.iter().enumerate().skip(2) {
            for (name, spoil) in spoilt {
                let mut report = good();
                spoil(&mut report.clients[n]);
                let missed = missed(&report, RUN);
                let told = format!("{client}: {name}");
                assert!(missed.len() == 1 && missed[0].starts_with(&told), "{missed:?}");
            }
        }
        assert!(missed(&good(), RUN * 2)[0].starts_with("the run took"));
    }

    #[test]
    fn a_tool_that_is_gone_costs_steps_the_tool_and_nothing_else() {
        let spoilt: [(&str, Spoil); 2] = [
            ("tools.primary_without is 98 of 100", |f| {
                f.tools.as_mut().unwrap().primary_without = 98;
            }),
            ("primary is 989 of 1000", |f| f.primary = 989),
        ];
        for (line, spoil) in spoilt {
            let mut report = good();
            spoil(&mut report.clients[2]);
            assert!(missed(&report, RUN).is_empty(), "evenkeel is not told to do without");
            spoil(&mut report.clients[3]);
            let missed = missed(&report, RUN);
            assert!(
                missed.len() == 1 && missed[0].starts_with(&format!("steps: {line}")),
                "{missed:?}"
            );
        }
    }

    #[test]
    fn the_clients_beside_them_have_no_bounds() {
        let mut report = good();
        for figures in &mut report.clients[..2] {
            (figures.error, figures.hung, figures.detect_s) = (9, 9, vec![None]);
        }
        assert!(missed(&report, RUN).is_empty());
    }
}

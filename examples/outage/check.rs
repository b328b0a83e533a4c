//! Whether evenkeel and steps kept the bounds of the incident.

use std::time::Duration;

use evenkeel_testkit::{Figures, incident::Bounds, scenario::Report};

use super::{
    clients::NAMES,
    plan::Plan,
    words::{answered, share},
};

/// How the incident names evenkeel without a fallback.
const ALONE: &str = "alone";
/// How long all of it may take.
const RUN: Duration = Duration::from_secs(20);

/// A share of calls that is bounded on one side.
struct Part {
    name: &'static str,
    is: u64,
    of: u64,
    bound: Option<f64>,
}

/// The bounds that were missed: one line each.
pub(crate) fn missed(report: &Report, plan: &Plan, took: Duration) -> Vec<String> {
    let mut missed = Vec::new();
    for figures in report.clients.iter().filter(|it| NAMES[2..].contains(&&*it.name)) {
        let client = if plan.alone && figures.name == NAMES[2] { ALONE } else { &figures.name };
        let bounds = plan.day.bounds(client);
        let lines = [
            at_most(figures, &bounds),
            at_least(figures, &bounds),
            times(figures, &bounds),
            below(report, figures, &bounds).into_iter().collect(),
        ];
        missed.extend(lines.into_iter().flatten().map(|line| format!("{client}: {line}")));
    }
    if took > RUN {
        missed.push(format!("the run took {took:.1?}; allowed is at most {RUN:?}"));
    }
    missed
}

/// The largest parts of the calls, and the attempts on a primary that is down.
fn at_most(f: &Figures, bounds: &Bounds) -> Vec<String> {
    let part = |name, is, bound| Part { name, is, of: f.calls, bound };
    let parts = [
        part("error", f.error, bounds.error),
        part("late", f.late, bounds.late),
        part("hung", f.hung, bounds.hung),
        part("canned", f.canned, bounds.canned),
        Part {
            name: "attempts_primary_down",
            is: f.attempts_primary_down,
            of: f.calls_down,
            bound: bounds.pressure,
        },
    ];
    parts.iter().filter(|part| part.exceeds()).map(|part| part.line("at most")).collect()
}

/// The least parts of the calls that the primary answers.
fn at_least(f: &Figures, bounds: &Bounds) -> Vec<String> {
    let mut parts =
        vec![Part { name: "primary", is: f.primary, of: f.calls, bound: bounds.primary }];
    if let Some(tools) = f.tools {
        let (without, others) = (tools.primary_without, tools.primary_others);
        let name = "tools.primary_without";
        parts.push(Part { name, is: without, of: tools.calls, bound: bounds.without });
        let name = "tools.primary_others";
        parts.push(Part { name, is: others, of: tools.others, bound: bounds.others });
    }
    parts.iter().filter(|part| part.falls_short()).map(|part| part.line("at least")).collect()
}

/// How soon an outage is noticed, and the primary in use again.
fn times(f: &Figures, bounds: &Bounds) -> Vec<String> {
    let times =
        [("detect_s", &f.detect_s, bounds.detect_s), ("recover_s", &f.recover_s, bounds.recover_s)];
    let late = times.into_iter().filter_map(|(name, times, most)| {
        let most = most?;
        let kept = times.iter().all(|time| time.is_some_and(|time| time <= most));
        (!kept).then(|| format!("{name} is {times:?}; allowed is at most {most} each"))
    });
    late.collect()
}

/// Whether fewer calls are answered than by the client with retries.
fn below(report: &Report, f: &Figures, bounds: &Bounds) -> Option<String> {
    let most = bounds.below_retries?;
    let retries = report.clients.iter().find(|client| client.name == NAMES[1])?;
    let part = |f: &Figures| answered(f) as f64 / f.calls.max(1) as f64;
    (part(f) < part(retries) - most).then(|| {
        let [is, theirs] = [f, retries].map(|f| share(answered(f), f.calls));
        format!("answered is {is}; allowed is at most {most} below the {theirs} of retries")
    })
}

// === impl Part ===

impl Part {
    fn exceeds(&self) -> bool {
        self.bound.is_some_and(|most| self.is as f64 > most * self.of as f64)
    }

    fn falls_short(&self) -> bool {
        self.bound.is_some_and(|least| (self.is as f64) < least * self.of as f64)
    }

    fn line(&self, side: &str) -> String {
        let Self { name, is, of, bound } = self;
        let allowed = 100.0 * bound.unwrap_or_default();
        format!("{name} is {is} of {of}; allowed is {side} {allowed} %")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::tests::report;
    use evenkeel_testkit::{Incident, scenario::ToolFigures};

    type Spoil = fn(&mut Figures);

    fn plan(incident: &str) -> Plan {
        Plan::new(Incident::named(incident).unwrap(), false, (1, 60.0))
    }

    /// Figures of all clients, within every bound of a full outage and of a tool that is gone, just so.
    fn good() -> Report {
        let mut report = report([[1000, 0, 0]; 4]);
        for figures in &mut report.clients {
            (figures.calls_down, figures.attempts_primary_down) = (100, 5);
            (figures.detect_s, figures.recover_s) = (vec![Some(5.0)], vec![Some(90.0), Some(0.0)]);
            let mut tools = ToolFigures::default();
            (tools.calls, tools.primary_without) = (100, 99);
            (tools.others, tools.primary_others) = (100, 99);
            (figures.tools, figures.primary) = (Some(tools), 990);
        }
        report
    }

    /// Spoils one client and expects one line.
    fn misses(plan: &Plan, client: usize, spoil: Spoil, line: &str) {
        let mut report = good();
        spoil(&mut report.clients[client]);
        let missed = missed(&report, plan, RUN);
        assert!(missed.len() == 1 && missed[0].starts_with(line), "{line}: {missed:?}");
    }

    #[test]
    fn what_is_within_its_bounds_misses_none() {
        let mut report = good();
        for figures in &mut report.clients {
            // On the day of a node that is replaced nothing is to be moved.
            figures.primary = figures.calls;
        }
        for incident in Incident::BUILT_IN {
            assert_eq!(missed(&report, &plan(incident), RUN), Vec::<String>::new(), "{incident}");
        }
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
        for (n, client) in NAMES.iter().enumerate().skip(2) {
            for (name, spoil) in spoilt {
                misses(&plan("openai-2024-06-04"), n, spoil, &format!("{client}: {name}"));
            }
        }
        let missed = missed(&good(), &plan("openai-2024-06-04"), RUN * 2);
        assert!(missed[0].starts_with("the run took"));
    }

    #[test]
    fn evenkeel_notices_an_outage_sooner_than_steps_may() {
        let day = plan("openai-2024-12-11");
        misses(&day, 2, |f| f.detect_s = vec![Some(5.1)], "evenkeel: detect_s");
        misses(&day, 3, |f| f.detect_s = vec![Some(10.1)], "steps: detect_s");
        let mut report = good();
        report.clients[3].detect_s = vec![Some(10.0)];
        assert!(missed(&report, &day, RUN).is_empty());
    }

    #[test]
    fn a_file_without_bounds_has_those_of_a_full_outage() {
        let day = r#"{"name": "x", "phases_min": [{"from": 0, "to": 1, "provider": "down"}]}"#;
        let day = Plan::new(Incident::parse(day).unwrap(), false, (1, 60.0));
        misses(&day, 2, |f| f.error = 1, "evenkeel: error");
        misses(&day, 3, |f| f.detect_s = vec![Some(15.1)], "steps: detect_s");
    }

    #[test]
    fn a_tool_that_is_gone_costs_steps_the_tool_and_nothing_else() {
        let spoilt: [(&str, Spoil); 2] = [
            ("steps: tools.primary_without is 98 of 100", |f| {
                f.tools.as_mut().unwrap().primary_without = 98;
            }),
            ("steps: primary is 989 of 1000", |f| f.primary = 989),
        ];
        for (line, spoil) in spoilt {
            let mut report = good();
            spoil(&mut report.clients[2]);
            let day = plan("tool-gone");
            assert!(missed(&report, &day, RUN).is_empty(), "evenkeel is not told to do without");
            misses(&day, 3, spoil, line);
        }
    }

    #[test]
    fn the_other_callers_of_a_noisy_neighbour_have_a_bound() {
        let spoil: Spoil = |f| f.tools.as_mut().unwrap().primary_others = 98;
        for (n, client) in [(2, "evenkeel"), (3, "steps")] {
            let line = format!("{client}: tools.primary_others is 98 of 100");
            misses(&plan("noisy-neighbour"), n, spoil, &line);
        }
    }

    #[test]
    fn a_node_that_is_replaced_moves_no_call_to_another_provider() {
        for (n, client) in [(2, "evenkeel"), (3, "steps")] {
            let mut report = good();
            report.clients[5 - n].primary = 1000;
            report.clients[n].primary = 999;
            let missed = missed(&report, &plan("node-replaced"), RUN);
            let line = format!("{client}: primary is 999 of 1000; allowed is at least 100 %");
            assert_eq!(missed, [line]);
        }
    }

    #[test]
    fn without_a_fallback_a_brownout_fails_no_more_calls_than_retries_do() {
        let alone = plan("brownout-20").alone(true);
        misses(&alone, 2, |f| f.error = 6, "alone: answered is 99.4 %");
        let mut report = good();
        report.clients[2].error = 5;
        assert!(missed(&report, &alone, RUN).is_empty(), "just so");
        assert!(missed(&report, &plan("brownout-20"), RUN)[0].starts_with("evenkeel: error"));
    }

    #[test]
    fn the_clients_beside_them_have_no_bounds() {
        let mut report = good();
        for figures in &mut report.clients[..2] {
            (figures.error, figures.hung, figures.detect_s) = (9, 9, vec![None]);
        }
        assert!(missed(&report, &plan("openai-2024-06-04"), RUN).is_empty());
    }
}

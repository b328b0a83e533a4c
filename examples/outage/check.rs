//! Checks whether `evenkeel` and `steps` stay within the bounds of the incident.

use std::time::Duration;

use evenkeel_testkit::{Metrics, incident::Bounds, scenario::Report};

use super::{clients::NAMES, numbers::share, play::RunResult, summary::answered};

/// The name under which an incident lists its bounds for evenkeel without a fallback.
const ALONE: &str = "alone";
/// The maximum time of a run.
const MAX_RUN_TIME: Duration = Duration::from_secs(20);

/// A share of the calls and its bound, an upper or a lower one.
struct BoundedShare {
    name: &'static str,
    part: u64,
    of: u64,
    bound: Option<f64>,
}

/// The violated bounds, one line each.
pub(crate) fn violations(result: &RunResult, run_time: Duration) -> Vec<String> {
    let RunResult { report, plan, .. } = result;
    let mut violations = Vec::new();
    for figures in report.clients.iter().filter(|figures| NAMES[2..].contains(&&*figures.name)) {
        let client = if plan.alone && figures.name == NAMES[2] { ALONE } else { &figures.name };
        let bounds = plan.incident.bounds(client);
        let lines = [
            above_maximum(figures, &bounds),
            below_minimum(figures, &bounds),
            too_late(figures, &bounds),
            worse_than_retries(report, figures, &bounds).into_iter().collect(),
        ];
        violations.extend(lines.into_iter().flatten().map(|line| format!("{client}: {line}")));
    }
    if run_time > MAX_RUN_TIME {
        let line = format!("the run took {run_time:.1?}; allowed is at most {MAX_RUN_TIME:?}");
        violations.push(line);
    }
    violations
}

/// The shares of failed, late and canned calls, and of attempts on a primary that is down, that are above their maximum.
fn above_maximum(f: &Metrics, bounds: &Bounds) -> Vec<String> {
    let of_calls = |name, part, bound| BoundedShare { name, part, of: f.calls, bound };
    let shares = [
        of_calls("error", f.error, bounds.error),
        of_calls("late", f.late, bounds.late),
        of_calls("hung", f.hung, bounds.hung),
        of_calls("canned", f.canned, bounds.canned),
        BoundedShare {
            name: "attempts_primary_down",
            part: f.attempts_primary_down,
            of: f.calls_down,
            bound: bounds.pressure,
        },
    ];
    shares.iter().filter(|share| share.exceeds()).map(|share| share.line("at most")).collect()
}

/// The shares of calls answered by the primary that are below their minimum.
fn below_minimum(f: &Metrics, bounds: &Bounds) -> Vec<String> {
    let mut shares =
        vec![BoundedShare { name: "primary", part: f.primary, of: f.calls, bound: bounds.primary }];
    if let Some(tools) = f.tools {
        let (name, part) = ("tools.primary_without", tools.primary_without);
        shares.push(BoundedShare { name, part, of: tools.calls, bound: bounds.without });
        let (name, part) = ("tools.primary_others", tools.primary_others);
        shares.push(BoundedShare { name, part, of: tools.others, bound: bounds.others });
    }
    shares.iter().filter(|share| share.falls_short()).map(|share| share.line("at least")).collect()
}

/// The times to detection and recovery that are above their maximum or missing.
fn too_late(f: &Metrics, bounds: &Bounds) -> Vec<String> {
    let times =
        [("detect_s", &f.detect_s, bounds.detect_s), ("recover_s", &f.recover_s, bounds.recover_s)];
    let late = times.into_iter().filter_map(|(name, times, max)| {
        let max = max?;
        let all_within = times.iter().all(|time| time.is_some_and(|time| time <= max));
        (!all_within).then(|| format!("{name} is {times:?}; allowed is at most {max} each"))
    });
    late.collect()
}

/// The share of answered calls, if it is further below that of `retries` than allowed.
fn worse_than_retries(report: &Report, f: &Metrics, bounds: &Bounds) -> Option<String> {
    let max_difference = bounds.below_retries?;
    let retries = report.clients.iter().find(|client| client.name == NAMES[1])?;
    let answered_share = |f: &Metrics| answered(f) as f64 / f.calls.max(1) as f64;
    (answered_share(f) < answered_share(retries) - max_difference).then(|| {
        let [ours, theirs] = [f, retries].map(|f| share(answered(f), f.calls));
        let allowed = format!("at most {max_difference} below the {theirs} of retries");
        format!("answered is {ours}; allowed is {allowed}")
    })
}

// === impl BoundedShare ===

impl BoundedShare {
    fn exceeds(&self) -> bool {
        self.bound.is_some_and(|max| self.part as f64 > max * self.of as f64)
    }

    fn falls_short(&self) -> bool {
        self.bound.is_some_and(|min| (self.part as f64) < min * self.of as f64)
    }

    fn line(&self, side: &str) -> String {
        let Self { name, part, of, bound } = self;
        let allowed = 100.0 * bound.unwrap_or_default();
        format!("{name} is {part} of {of}; allowed is {side} {allowed} %")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan::RunPlan, summary::tests::report};
    use evenkeel_testkit::{Incident, scenario::ToolMetrics};

    type Change = fn(&mut Metrics);

    fn plan(incident: &str) -> RunPlan {
        RunPlan::in_virtual_time(Incident::named(incident).unwrap(), 1, 60.0)
    }

    fn violations(report: &Report, plan: &RunPlan, run_time: Duration) -> Vec<String> {
        let (plan, report) = (plan.clone(), report.clone());
        super::violations(&RunResult { plan, report, changes: Vec::new() }, run_time)
    }

    /// Metrics of all clients at the limits of every bound of a full outage and of an unavailable tool.
    fn at_the_limits() -> Report {
        let mut report = report([[1000, 0, 0]; 4]);
        for figures in &mut report.clients {
            (figures.calls_down, figures.attempts_primary_down) = (100, 5);
            (figures.detect_s, figures.recover_s) = (vec![Some(5.0)], vec![Some(90.0), Some(0.0)]);
            let mut tools = ToolMetrics::default();
            (tools.calls, tools.primary_without) = (100, 99);
            (tools.others, tools.primary_others) = (100, 99);
            (figures.tools, figures.primary) = (Some(tools), 990);
        }
        report
    }

    /// Changes the figures of one client and expects one violation.
    fn assert_violates(plan: &RunPlan, client: usize, change: Change, line: &str) {
        let mut report = at_the_limits();
        change(&mut report.clients[client]);
        let violations = violations(&report, plan, MAX_RUN_TIME);
        assert!(violations.len() == 1 && violations[0].starts_with(line), "{line}: {violations:?}");
    }

    #[test]
    fn figures_at_their_limits_violate_no_bound() {
        let mut report = at_the_limits();
        for figures in &mut report.clients {
            // `node-replaced` allows no answer from another source.
            figures.primary = figures.calls;
        }
        for incident in Incident::BUILT_IN {
            let violations = violations(&report, &plan(incident), MAX_RUN_TIME);
            assert_eq!(violations, Vec::<String>::new(), "{incident}");
        }
    }

    #[test]
    fn every_violated_bound_is_named() {
        let changes: [(&str, Change); 7] = [
            ("error", |f| f.error = 1),
            ("late", |f| f.late = 1),
            ("hung", |f| f.hung = 1),
            ("attempts_primary_down", |f| f.attempts_primary_down = 6),
            ("detect_s", |f| f.detect_s = vec![Some(1.0), Some(15.1)]),
            ("detect_s", |f| f.detect_s = vec![None]),
            ("recover_s", |f| f.recover_s = vec![None]),
        ];
        for (n, client) in NAMES.iter().enumerate().skip(2) {
            for (name, change) in changes {
                assert_violates(
                    &plan("openai-2024-06-04"),
                    n,
                    change,
                    &format!("{client}: {name}"),
                );
            }
        }
        let violations = violations(&at_the_limits(), &plan("openai-2024-06-04"), MAX_RUN_TIME * 2);
        assert!(violations[0].starts_with("the run took"));
    }

    #[test]
    fn evenkeel_has_a_stricter_bound_on_detection_than_steps() {
        let incident = plan("openai-2024-12-11");
        assert_violates(&incident, 2, |f| f.detect_s = vec![Some(5.1)], "evenkeel: detect_s");
        assert_violates(&incident, 3, |f| f.detect_s = vec![Some(10.1)], "steps: detect_s");
        let mut report = at_the_limits();
        report.clients[3].detect_s = vec![Some(10.0)];
        assert!(violations(&report, &incident, MAX_RUN_TIME).is_empty());
    }

    #[test]
    fn an_incident_without_bounds_has_those_of_a_full_outage() {
        let json = r#"{"name": "x", "phases_min": [{"from": 0, "to": 1, "provider": "down"}]}"#;
        let plan = RunPlan::in_virtual_time(Incident::parse(json).unwrap(), 1, 60.0);
        assert_violates(&plan, 2, |f| f.error = 1, "evenkeel: error");
        assert_violates(&plan, 3, |f| f.detect_s = vec![Some(15.1)], "steps: detect_s");
    }

    #[test]
    fn steps_answers_without_an_unavailable_tool_and_loses_nothing_else() {
        let changes: [(&str, Change); 2] = [
            ("steps: tools.primary_without is 98 of 100", |f| {
                f.tools.as_mut().unwrap().primary_without = 98;
            }),
            ("steps: primary is 989 of 1000", |f| f.primary = 989),
        ];
        for (line, change) in changes {
            let mut report = at_the_limits();
            change(&mut report.clients[2]);
            let plan = plan("tool-gone");
            let violations = violations(&report, &plan, MAX_RUN_TIME);
            assert!(violations.is_empty(), "evenkeel has no fallback without the tool");
            assert_violates(&plan, 3, change, line);
        }
    }

    #[test]
    fn the_other_callers_in_noisy_neighbour_have_a_bound() {
        let change: Change = |f| f.tools.as_mut().unwrap().primary_others = 98;
        for (n, client) in [(2, "evenkeel"), (3, "steps")] {
            let line = format!("{client}: tools.primary_others is 98 of 100");
            assert_violates(&plan("noisy-neighbour"), n, change, &line);
        }
    }

    #[test]
    fn a_replaced_node_moves_no_call_to_another_provider() {
        for (n, client) in [(2, "evenkeel"), (3, "steps")] {
            let mut report = at_the_limits();
            report.clients[5 - n].primary = 1000;
            report.clients[n].primary = 999;
            let violations = violations(&report, &plan("node-replaced"), MAX_RUN_TIME);
            let line = format!("{client}: primary is 999 of 1000; allowed is at least 100 %");
            assert_eq!(violations, [line]);
        }
    }

    #[test]
    fn without_a_fallback_a_brownout_fails_no_more_calls_than_with_retries() {
        let alone = plan("brownout-20").alone(true);
        assert_violates(&alone, 2, |f| f.error = 6, "alone: answered is 99.4 %");
        let mut report = at_the_limits();
        report.clients[2].error = 5;
        assert!(violations(&report, &alone, MAX_RUN_TIME).is_empty(), "exactly at the limit");
        let violations = violations(&report, &plan("brownout-20"), MAX_RUN_TIME);
        assert!(violations[0].starts_with("evenkeel: error"));
    }

    #[test]
    fn plain_and_retries_have_no_bounds() {
        let mut report = at_the_limits();
        for figures in &mut report.clients[..2] {
            (figures.error, figures.hung, figures.detect_s) = (9, 9, vec![None]);
        }
        assert!(violations(&report, &plan("openai-2024-06-04"), MAX_RUN_TIME).is_empty());
    }
}

//! The figures in sentences and table cells.

use evenkeel_testkit::{Incident, Metrics, scenario::Report};

use super::{
    clients::{FALLBACKS, NAMES},
    numbers::{count, seconds, share},
};

/// The time to the detection of each outage.
pub(crate) fn detection_times(figures: &Metrics) -> String {
    times(&figures.detect_s, |_| "never".into())
}

/// The time from the end of each outage until the primary was in use again, or the length of the healthy phase if it never
/// was.
pub(crate) fn recovery_times(figures: &Metrics, incident: &Incident) -> String {
    let mut after_outage = false;
    let mut healthy_phases = Vec::new();
    for phase in incident.primary() {
        if phase.state.is_healthy() && std::mem::take(&mut after_outage) {
            healthy_phases.push(phase.length().as_secs_f64());
        }
        after_outage |= phase.state.is_down();
    }
    times(&figures.recover_s, |n| match healthy_phases.get(n) {
        Some(length) => format!("not within {}", seconds(*length)),
        None => "never".into(),
    })
}

/// The times as a list, or one time where all are equal. `absent` formats a missing time by its index.
fn times(list: &[Option<f64>], absent: impl Fn(usize) -> String) -> String {
    let format = |(n, time): (usize, &Option<f64>)| time.map_or_else(|| absent(n), seconds);
    let mut texts: Vec<String> = list.iter().enumerate().map(format).collect();
    if texts.windows(2).all(|pair| pair[0] == pair[1]) {
        texts.truncate(1);
    }
    if texts.is_empty() { "–".into() } else { texts.join(", ") }
}

/// The number of calls without an answer.
pub(crate) fn unanswered(figures: &Metrics) -> u64 {
    figures.error + figures.hung
}

/// The number of calls with an answer.
pub(crate) fn answered(figures: &Metrics) -> u64 {
    figures.calls - unanswered(figures)
}

/// The attempts on the primary per call, over the time in which it was down; `None` without a call in that time.
pub(crate) fn attempts_per_call_while_down(figures: &Metrics) -> Option<f64> {
    let calls = figures.calls_down as f64;
    (calls > 0.0).then(|| figures.attempts_primary_down as f64 / calls)
}

/// The result in two sentences.
pub(crate) fn headline(report: &Report) -> String {
    let [plain, _, evenkeel] = first_three(report);
    if plain.calls == 0 {
        return "No call was made: the rate is too low for an incident of this length.".into();
    }
    let without = match unanswered(plain) {
        0 => "Every customer of the plain client got an answer.".into(),
        lost if lost == plain.calls => "No customer of the plain client got an answer.".into(),
        lost => {
            format!("{} of the plain client’s customers got no answer.", share(lost, plain.calls))
        }
    };
    let calls = count(evenkeel.calls);
    let with = match unanswered(evenkeel) {
        0 => format!("With evenkeel all {calls} customers got an answer."),
        lost if lost == evenkeel.calls => {
            format!("With evenkeel none of {calls} customers got an answer.")
        }
        lost => {
            let kept = count(evenkeel.calls - lost);
            format!("With evenkeel {kept} of {calls} customers got an answer.")
        }
    };
    format!("{without} {with}")
}

/// The shares of customers without an answer, and the sources of the answers of evenkeel.
pub(crate) fn closing(report: &Report) -> String {
    let [plain, retries, evenkeel] = first_three(report);
    if plain.calls == 0 {
        return headline(report);
    }
    let lost = |figures: &Metrics| share(unanswered(figures), figures.calls);
    let sources = sources(evenkeel);
    let with = match unanswered(evenkeel) {
        0 => "with evenkeel every customer got an answer".to_owned(),
        _ => format!("with evenkeel {} did; the others got an answer", lost(evenkeel)),
    };
    format!(
        "{} of the customers of the plain client, and {} of those of the client with retries, got an error or no answer \
         within two minutes; {with}{sources}.",
        lost(plain),
        lost(retries),
    )
}

/// The sources of the answers, to follow a clause: `: 40.3 % from the primary, …`. Empty without an answer.
pub(crate) fn sources(figures: &Metrics) -> String {
    let from = [
        (figures.primary, "from the primary"),
        (figures.secondary, "from the secondary"),
        (figures.stored, "a stored answer"),
        (figures.canned, "a canned reply"),
    ];
    let used = from.iter().filter(|(part, _)| *part > 0);
    let texts: Vec<_> =
        used.map(|(part, source)| format!("{} {source}", share(*part, figures.calls))).collect();
    if texts.is_empty() { String::new() } else { format!(": {}", texts.join(", ")) }
}

/// Of the calls with an unavailable tool, the share that the primary answered without the tool.
pub(crate) fn answered_without_tool(figures: &Metrics) -> Option<String> {
    let tools = figures.tools.filter(|tools| tools.calls > 0)?;
    Some(share(tools.primary_without, tools.calls))
}

/// The number of answers from the primary or one fallback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StepCount {
    pub(crate) name: &'static str,
    pub(crate) answers: u64,
}

/// The figures of `steps`, and its answers by step in the order in which the steps are tried; `None` without that client.
pub(crate) fn answers_by_step(report: &Report) -> Option<(&Metrics, Vec<StepCount>)> {
    let steps = report.clients.iter().find(|client| client.name == NAMES[3])?;
    let by_fallbacks: u64 = steps.fallbacks.values().sum();
    let primary =
        StepCount { name: FALLBACKS[0], answers: answered(steps).saturating_sub(by_fallbacks) };
    let fallbacks = FALLBACKS[1..]
        .iter()
        .map(|name| StepCount { name, answers: steps.fallbacks.get(*name).copied().unwrap_or(0) });
    Some((steps, std::iter::once(primary).chain(fallbacks).collect()))
}

/// The figures of `plain`, `retries` and `evenkeel`.
pub(crate) fn first_three(report: &Report) -> [&Metrics; 3] {
    [0, 1, 2].map(|n| &report.clients[n])
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::plan::RunPlan;

    /// A report of the first `N` clients, each with its numbers of calls, errors and hung calls. The primary answered the
    /// other calls.
    pub(crate) fn report<const N: usize>(clients: [[u64; 3]; N]) -> Report {
        let client = |(name, [calls, error, hung]): (&str, [u64; 3])| {
            let mut figures = Metrics::default();
            figures.name = name.into();
            (figures.calls, figures.error, figures.hung) = (calls, error, hung);
            figures.primary = calls - error - hung;
            figures
        };
        let plan = RunPlan::in_virtual_time(Incident::openai_2024_06_04(), 1, 60.0);
        plan.scenario().report(NAMES.into_iter().zip(clients).map(client).collect())
    }

    #[test]
    fn the_headline_matches_the_figures() {
        let of = |clients| headline(&report(clients));
        assert_eq!(
            of([[1000, 500, 63], [1000, 400, 100], [1000, 0, 0]]),
            "56.3 % of the plain client’s customers got no answer. With evenkeel all 1 000 customers got an answer."
        );
        assert!(
            of([[9, 9, 0], [9, 9, 0], [9, 2, 0]])
                .ends_with("With evenkeel 7 of 9 customers got an answer.")
        );
        assert!(
            of([[9, 5, 4], [9, 9, 0], [9, 9, 0]]).starts_with("No customer of the plain client")
        );
        assert!(
            of([[9, 5, 4], [9, 9, 0], [9, 9, 0]]).ends_with("none of 9 customers got an answer.")
        );
        assert!(of([[9, 0, 0]; 3]).starts_with("Every customer of the plain client"));
        assert!(of([[0, 0, 0]; 3]).starts_with("No call was made"));
    }

    #[test]
    fn the_closing_sentence_counts_customers_without_an_answer() {
        let text = closing(&report([[1000, 500, 63], [1000, 400, 100], [1000, 0, 0]]));
        assert!(
            text.starts_with("56.3 % of the customers of the plain client, and 50.0 %"),
            "{text}"
        );
        assert!(text.ends_with("every customer got an answer: 100 % from the primary."), "{text}");
        let text = closing(&report([[10, 5, 0], [10, 4, 0], [10, 1, 1]]));
        assert!(
            text.ends_with(
                "with evenkeel 20.0 % did; the others got an answer: 80.0 % from the primary."
            ),
            "{text}"
        );
    }

    #[test]
    fn the_primary_gave_the_answers_of_no_fallback() {
        let mut report = report([[1000, 10, 0]; 4]);
        assert!(answers_by_step(&self::report([[9, 0, 0]; 3])).is_none());
        report.clients[3].fallbacks =
            [(FALLBACKS[1].to_owned(), 300), (FALLBACKS[5].to_owned(), 1)].into();
        let (_, steps) = answers_by_step(&report).unwrap();
        let steps: Vec<_> = steps.into_iter().map(|step| (step.name, step.answers)).collect();
        let expected = FALLBACKS.into_iter().zip([689, 300, 0, 0, 0, 1]);
        assert!(steps.into_iter().eq(expected));
    }

    #[test]
    fn an_outage_without_detection_or_recovery_is_shown() {
        let incident = Incident::openai_2024_06_04();
        let mut figures = Metrics::default();
        assert_eq!(detection_times(&figures), "–");
        assert_eq!(recovery_times(&figures, &incident), "–");
        figures.detect_s = vec![None, None];
        figures.recover_s = vec![Some(33.2), None];
        assert_eq!(detection_times(&figures), "never");
        assert_eq!(recovery_times(&figures, &incident), "33 s, not within 60 min");
    }
}

//! The table of figures.

use evenkeel_testkit::Metrics;

use super::{
    super::{
        numbers::{count, seconds, share},
        play::RunResult,
        summary::{
            StepCount, answered_without_tool, answers_by_step, attempts_per_call_while_down,
            detection_times, recovery_times,
        },
    },
    html::escape,
};

type CellText = fn(&Metrics) -> String;

const CUSTOMER_ROWS: [(&str, CellText); 9] = [
    ("answered by the primary", |f| count_and_share(f.primary, f)),
    ("answered by the secondary", |f| count_and_share(f.secondary, f)),
    ("answered by a stored answer", |f| count_and_share(f.stored, f)),
    ("answered by a canned reply", |f| count_and_share(f.canned, f)),
    ("error, or an answer cut short", |f| count_and_share(f.error, f)),
    ("no answer within two minutes", |f| count_and_share(f.hung, f)),
    ("answered or failed after more than 30 s", |f| count_and_share(f.late, f)),
    ("first word of an answer: median", |f| time(f.first_event_p50_s)),
    ("first word of an answer: 99th percentile", |f| time(f.first_event_p99_s)),
];
const PRIMARY_ROWS: [(&str, CellText); 4] = [
    ("attempts", |f| count(f.attempts_primary)),
    ("attempts while it was down", |f| count(f.attempts_primary_down)),
    ("… per call made then", |f| {
        attempts_per_call_while_down(f).map_or("–".into(), |attempts| format!("{attempts:.2}"))
    }),
    ("outage detected after", detection_times),
];

fn count_and_share(number: u64, figures: &Metrics) -> String {
    match number {
        0 => "–".into(),
        _ => format!("{} <small>{}</small>", count(number), share(number, figures.calls)),
    }
}

fn time(time: Option<f64>) -> String {
    time.map_or("–".into(), seconds)
}

/// The section with one column for each client.
pub(super) fn section(result: &RunResult) -> String {
    let clients = &result.report.clients;
    let heads = clients.iter().map(|f| format!("<th scope=\"col\">{}</th>", escape(&f.name)));
    format!(
        "<section id=\"figures\">\n<h2>The figures</h2>\n<table>\n<thead><tr><th></th>{}</tr></thead>\n<tbody>\n\
         {}{}{}{}</tbody>\n</table>\n{}{NOTES}</section>\n",
        heads.collect::<String>(),
        group(&format!("The customers: {} calls", count(clients[0].calls))),
        customer_rows(clients),
        group("The primary"),
        primary_rows(result),
        steps_table(result),
    )
}

/// The rows on the answers. The row of stored answers, and that of calls with an unavailable tool, appear only where a
/// client has some.
fn customer_rows(clients: &[Metrics]) -> String {
    let any_stored = clients.iter().any(|f| f.stored > 0);
    let shown = CUSTOMER_ROWS.iter().filter(|row| any_stored || !row.0.contains("stored"));
    let mut rows: String = shown.map(|(name, cell)| row(clients, name, cell)).collect();
    if clients.iter().any(|f| answered_without_tool(f).is_some()) {
        let name = "of the calls with an unavailable tool, by the primary without the tool";
        rows += &row(clients, name, &|f| answered_without_tool(f).unwrap_or_else(|| "–".into()));
    }
    rows
}

fn primary_rows(result: &RunResult) -> String {
    let clients = &result.report.clients;
    let mut rows: String =
        PRIMARY_ROWS.iter().map(|(name, cell)| row(clients, name, cell)).collect();
    rows += &row(clients, "in use again after", &|f| recovery_times(f, &result.plan.played));
    rows
}

fn row(clients: &[Metrics], name: &str, cell: &dyn Fn(&Metrics) -> String) -> String {
    let cells = clients.iter().map(|f| format!("<td>{}</td>", cell(f)));
    format!("<tr><th scope=\"row\">{name}</th>{}</tr>\n", cells.collect::<String>())
}

/// The answers of `steps` by target and fallback.
fn steps_table(result: &RunResult) -> String {
    let Some((steps, counts)) = answers_by_step(&result.report) else { return String::new() };
    let row = |step: &StepCount| {
        format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n",
            escape(step.name),
            count_and_share(step.answers, steps)
        )
    };
    let rows: String = counts.iter().map(row).collect();
    format!(
        "<table class=\"steps\">\n<thead><tr><th>The primary and the fallbacks of {}, in order</th><th scope=\"col\">answers</th></tr>\
         </thead>\n<tbody>\n{rows}</tbody>\n</table>\n",
        escape(&steps.name)
    )
}

fn group(name: &str) -> String {
    format!("<tr class=\"group\"><th colspan=\"5\">{name}</th></tr>\n")
}

const NOTES: &str = "<p class=\"note\">The first word of evenkeel and steps is later on purpose: here both return an answer \
    only when it is complete, so that no answer breaks off while the customer reads it. The other clients show each word \
    as it arrives, also of answers that break off later. By default evenkeel streams as well: it then shows the first word \
    as early as they do, and an answer that breaks off after its first word ends with an error.</p>\n\
    <p class=\"note\">“Detected” is the time from the start of an outage to the first call that is not sent to the primary. \
    “In use again” is the time from the start of a healthy phase to the first ten seconds in which the primary answered \
    95 % of the calls. A client that sends every call to the primary detects nothing, and has the primary in use again at \
    once. Where the primary was not in use again, the healthy phase was too short: a breaker stays open for up to 30 s and \
    then admits a growing share of the calls over 20 s.</p>\n";

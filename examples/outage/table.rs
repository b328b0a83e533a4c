//! The table on standard output.

use evenkeel_testkit::{Metrics, scenario::Report};

use super::{
    numbers::{count, seconds, share},
    play::RunResult,
    summary::{
        answered_without_tool, answers_by_step, attempts_per_call_while_down, closing,
        detection_times, recovery_times,
    },
};

type TableRow = Vec<String>;

const FIRST_WORD_NOTE: &str = "The first word of evenkeel and steps is later because both return an answer only when it is complete, so that no \
answer breaks off.";

const ANSWER_COLUMNS: [&str; 10] = [
    "client",
    "primary",
    "secondary",
    "stored",
    "canned reply",
    "error",
    "late",
    "hung",
    "word p50",
    "word p99",
];
const LOAD_COLUMNS: [&str; 6] =
    ["client", "attempts", "while down", "of calls then", "detected after", "in use again after"];

/// The tables with one row for each client, the answers of `steps` by step, and the closing sentence.
pub(crate) fn table(result: &RunResult) -> String {
    let report = &result.report;
    let calls = report.clients.first().map_or(0, |first| first.calls);
    let head = format!(
        "{}, {}; {} calls for each client, {} per minute, seed {}",
        without_controls(&report.incident),
        mode(result),
        count(calls),
        report.rate,
        report.seed
    );
    let answers = grid(&ANSWER_COLUMNS, &answer_rows(report));
    let load = grid(&LOAD_COLUMNS, &load_rows(result));
    let closing = closing(report);
    format!(
        "{head}\n\nAnswers by source, failures, and the time to the first word of an answer\n\n\
         {answers}\nThe load on the primary, the time to the detection of each outage, and the time until the primary was in \
         use again\n\n{load}\n{}{}{closing}\n\n{FIRST_WORD_NOTE}\n",
        steps_table(report),
        tools_sentence(report),
    )
}

/// The kind of run.
fn mode(result: &RunResult) -> &'static str {
    match (result.plan.live, result.plan.is_condensed()) {
        (false, _) => "at full length in virtual time",
        (true, true) => "condensed to 400 s and played ten times as fast over sockets",
        (true, false) => "played ten times as fast over sockets",
    }
}

fn answer_rows(report: &Report) -> Vec<TableRow> {
    let row = |f: &Metrics| {
        let count_and_share = |number| count_and_share(number, f);
        let time = |time: Option<f64>| time.map_or("–".into(), seconds);
        let first_word = [time(f.first_event_p50_s), time(f.first_event_p99_s)];
        let parts = [f.primary, f.secondary, f.stored, f.canned, f.error, f.late, f.hung];
        [vec![f.name.clone()], parts.map(count_and_share).to_vec(), first_word.to_vec()].concat()
    };
    report.clients.iter().map(row).collect()
}

fn count_and_share(number: u64, figures: &Metrics) -> String {
    match number {
        0 => "–".into(),
        _ => format!("{} {:>8}", count(number), format!("({})", share(number, figures.calls))),
    }
}

/// The answers of `steps` by target and fallback.
fn steps_table(report: &Report) -> String {
    let Some((steps, counts)) = answers_by_step(report) else { return String::new() };
    let (mut columns, mut row) = (vec!["client"], vec![steps.name.clone()]);
    for step in counts {
        columns.push(step.name);
        row.push(count_and_share(step.answers, steps));
    }
    format!("The answers of steps by target and fallback\n\n{}\n", grid(&columns, &[row]))
}

/// The shares of the calls with an unavailable tool that the primary answered without the tool.
fn tools_sentence(report: &Report) -> String {
    let clients = report.clients.iter();
    let shares = clients.filter_map(|f| Some(format!("{} {}", f.name, answered_without_tool(f)?)));
    let shares: Vec<_> = shares.collect();
    let calls = report.clients.first().and_then(|first| first.tools).map_or(0, |tools| tools.calls);
    if shares.is_empty() {
        return String::new();
    }
    format!(
        "{} calls had a tool that was unavailable at that time. The primary answered without it: {}.\n\n",
        count(calls),
        shares.join(", ")
    )
}

fn load_rows(result: &RunResult) -> Vec<TableRow> {
    let row = |f: &Metrics| {
        let per_call = attempts_per_call_while_down(f)
            .map_or("–".into(), |attempts| format!("{:.1} %", 100.0 * attempts));
        let (all, down) = (count(f.attempts_primary), count(f.attempts_primary_down));
        let recovery = recovery_times(f, &result.plan.played);
        vec![f.name.clone(), all, down, per_call, detection_times(f), recovery]
    };
    result.report.clients.iter().map(row).collect()
}

/// A table with columns as wide as their longest cell. The first column is aligned left, the others right.
fn grid(heads: &[&str], rows: &[TableRow]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([heads[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let cell = |(n, cell): (usize, &str)| match n {
            0 => format!("  {cell:<width$}", width = widths[n]),
            _ => format!("  {cell:>width$}", width = widths[n]),
        };
        cells.enumerate().map(cell).collect::<String>() + "\n"
    };
    let head = line(&mut heads.iter().copied());
    let rows = rows.iter().map(|row| line(&mut row.iter().map(String::as_str)));
    head + &rows.collect::<String>()
}

/// The name without control characters, which could move the cursor of a terminal. It comes from a file.
fn without_controls(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).collect()
}

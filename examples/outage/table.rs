//! The table on standard output.

use evenkeel::testkit::{Figures, drill::Report};

use super::{
    play::Played,
    words::{back, closing, count, noticed, pressure, seconds, share},
};

type Row = Vec<String>;

const FIRST: &str = "evenkeel's first word comes later on purpose: here it hands an answer on when it is complete, so that none breaks off.";

const ANSWERS: [&str; 9] = [
    "client",
    "primary",
    "secondary",
    "canned reply",
    "error",
    "late",
    "hung",
    "half",
    "99 of 100",
];
const LOAD: [&str; 6] =
    ["client", "attempts", "while down", "of the calls then", "noticed after", "back in use after"];

/// Two tables, one row a client, and what a customer saw.
pub(crate) fn table(played: &Played) -> String {
    let report = &played.report;
    let calls = report.clients.first().map_or(0, |first| first.calls);
    let head = format!(
        "{}, {}; {} calls for each client, {} a minute, seed {}",
        plain(&report.incident),
        how(played),
        count(calls),
        report.rate,
        report.seed
    );
    let (customers, primary) = (grid(&ANSWERS, &answers(report)), grid(&LOAD, &load(played)));
    let closing = closing(report);
    format!(
        "{head}\n\nWho answered the customers, what failed them, and how soon those who were answered saw the first word\n\n\
         {customers}\nWhat the primary had to bear, how soon each outage was noticed, and how soon the primary was in use \
         again\n\n{primary}\n{closing}\n\n{FIRST}\n"
    )
}

/// How it was played.
fn how(played: &Played) -> &'static str {
    match (played.plan.live, played.plan.is_condensed()) {
        (false, _) => "at full length in virtual time",
        (true, true) => "condensed to 400 s and played ten times as fast over sockets",
        (true, false) => "played ten times as fast over sockets",
    }
}

fn answers(report: &Report) -> Vec<Row> {
    let row = |f: &Figures| {
        let part = |number| match number {
            0 => "–".into(),
            _ => format!("{} {:>8}", count(number), format!("({})", share(number, f.calls))),
        };
        let first = |time: Option<f64>| time.map_or("–".into(), seconds);
        let (half, most) = (first(f.first_event_p50_s), first(f.first_event_p99_s));
        let parts = [f.primary, f.secondary, f.canned, f.error, f.late, f.hung].map(part);
        [vec![f.name.clone()], parts.to_vec(), vec![half, most]].concat()
    };
    report.clients.iter().map(row).collect()
}

fn load(played: &Played) -> Vec<Row> {
    let row = |f: &Figures| {
        let share = pressure(f).map_or("–".into(), |each| format!("{:.1} %", 100.0 * each));
        let (all, down) = (count(f.attempts_primary), count(f.attempts_primary_down));
        vec![f.name.clone(), all, down, share, noticed(f), back(f, &played.plan.played)]
    };
    played.report.clients.iter().map(row).collect()
}

/// Columns as wide as they need, words to the left and figures to the right.
fn grid(heads: &[&str], rows: &[Row]) -> String {
    let wide = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([heads[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(wide).collect();
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

/// A name from a file, without what would move a terminal's cursor.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).collect()
}

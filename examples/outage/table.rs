//! The table on standard output.

use evenkeel_testkit::{Figures, scenario::Report};

use super::{
    play::Played,
    words::{back, closing, count, noticed, pressure, rungs, seconds, share, without},
};

type Row = Vec<String>;

const FIRST: &str = "The first word of evenkeel and of steps comes later on purpose: here they hand an answer on when it is complete, so \
that none breaks off.";

const ANSWERS: [&str; 10] = [
    "client",
    "primary",
    "secondary",
    "stored",
    "canned reply",
    "error",
    "late",
    "hung",
    "half",
    "99 of 100",
];
const LOAD: [&str; 6] =
    ["client", "attempts", "while down", "of the calls then", "noticed after", "back in use after"];

/// Two tables, one row a client, which rung of steps answered, and what a customer saw.
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
         again\n\n{primary}\n{}{}{closing}\n\n{FIRST}\n",
        ladder(report),
        tools(report),
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
        let part = |number| part(number, f);
        let first = |time: Option<f64>| time.map_or("–".into(), seconds);
        let (half, most) = (first(f.first_event_p50_s), first(f.first_event_p99_s));
        let parts = [f.primary, f.secondary, f.stored, f.canned, f.error, f.late, f.hung].map(part);
        [vec![f.name.clone()], parts.to_vec(), vec![half, most]].concat()
    };
    report.clients.iter().map(row).collect()
}

fn part(number: u64, figures: &Figures) -> String {
    match number {
        0 => "–".into(),
        _ => format!("{} {:>8}", count(number), format!("({})", share(number, figures.calls))),
    }
}

/// Which rung of steps gave how many answers.
fn ladder(report: &Report) -> String {
    let Some((steps, rungs)) = rungs(report) else { return String::new() };
    let (mut heads, mut row) = (vec!["client"], vec![steps.name.clone()]);
    for (rung, number) in rungs {
        heads.push(rung);
        row.push(part(number, steps));
    }
    format!("Which rung of the ladder gave steps its answers\n\n{}\n", grid(&heads, &[row]))
}

/// What became of the calls with a tool that was gone.
fn tools(report: &Report) -> String {
    let clients = report.clients.iter();
    let shares = clients.filter_map(|f| Some(format!("{} {}", f.name, without(f)?)));
    let shares: Vec<_> = shares.collect();
    let calls = report.clients.first().and_then(|first| first.tools).map_or(0, |tools| tools.calls);
    if shares.is_empty() {
        return String::new();
    }
    format!(
        "{} calls came with a tool that was gone then. The primary answered without it: {}.\n\n",
        count(calls),
        shares.join(", ")
    )
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

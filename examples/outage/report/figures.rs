//! The figures, as a table.

use evenkeel_testkit::Figures;

use super::{
    super::{
        play::Played,
        words::{back, count, noticed, pressure, rungs, seconds, share, without},
    },
    escape,
};

type Value = fn(&Figures) -> String;

const CUSTOMERS: [(&str, Value); 9] = [
    ("answered by the primary", |f| part(f.primary, f)),
    ("answered by the secondary", |f| part(f.secondary, f)),
    ("answered by a stored answer", |f| part(f.stored, f)),
    ("answered by a canned reply", |f| part(f.canned, f)),
    ("error, or an answer cut short", |f| part(f.error, f)),
    ("no word within two minutes", |f| part(f.hung, f)),
    ("answered or failed after more than 30 s", |f| part(f.late, f)),
    ("first word: half of the answered within", |f| first(f.first_event_p50_s)),
    ("first word: 99 of 100 within", |f| first(f.first_event_p99_s)),
];
const PRIMARY: [(&str, Value); 4] = [
    ("attempts", |f| count(f.attempts_primary)),
    ("attempts while it was down", |f| count(f.attempts_primary_down)),
    ("… for each call made then", |f| {
        pressure(f).map_or("–".into(), |each| format!("{each:.2}"))
    }),
    ("outage noticed after", noticed),
];

fn part(number: u64, figures: &Figures) -> String {
    match number {
        0 => "–".into(),
        _ => format!("{} <small>{}</small>", count(number), share(number, figures.calls)),
    }
}

fn first(time: Option<f64>) -> String {
    time.map_or("–".into(), seconds)
}

/// One column a client.
pub(super) fn section(played: &Played) -> String {
    let clients = &played.report.clients;
    let heads = clients.iter().map(|f| format!("<th scope=\"col\">{}</th>", escape(&f.name)));
    let row = |name: &str, value: &dyn Fn(&Figures) -> String| {
        let cells = clients.iter().map(|f| format!("<td>{}</td>", value(f)));
        format!("<tr><th scope=\"row\">{name}</th>{}</tr>\n", cells.collect::<String>())
    };
    let stored = clients.iter().any(|f| f.stored > 0);
    let shown = CUSTOMERS.iter().filter(|line| stored || !line.0.contains("stored"));
    let customers: String = shown.map(|(name, value)| row(name, value)).collect();
    let primary: String = PRIMARY.iter().map(|(name, value)| row(name, value)).collect();
    let gone = clients.iter().any(|f| without(f).is_some());
    let gone = if gone {
        row("of the calls with a tool that was gone, by the primary without it", &|f| {
            without(f).unwrap_or_else(|| "–".into())
        })
    } else {
        String::new()
    };
    let back = row("in use again after", &|f| back(f, &played.plan.played));
    format!(
        "<section id=\"figures\">\n<h2>The figures</h2>\n<table>\n<thead><tr><th></th>{}</tr></thead>\n<tbody>\n\
         {}{customers}{gone}{}{primary}{back}</tbody>\n</table>\n{}{NOTES}</section>\n",
        heads.collect::<String>(),
        group(&format!("The customers: {} calls", count(clients[0].calls))),
        group("The primary"),
        ladder(played),
    )
}

/// Which rung of steps gave how many answers.
fn ladder(played: &Played) -> String {
    let Some((steps, rungs)) = rungs(&played.report) else { return String::new() };
    let row = |(rung, number): &(&str, u64)| {
        format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n",
            escape(rung),
            part(*number, steps)
        )
    };
    let rows: String = rungs.iter().map(row).collect();
    format!(
        "<table class=\"rungs\">\n<thead><tr><th>The rungs of {}, from the top</th><th scope=\"col\">answers</th></tr>\
         </thead>\n<tbody>\n{rows}</tbody>\n</table>\n",
        escape(&steps.name)
    )
}

fn group(name: &str) -> String {
    format!("<tr class=\"group\"><th colspan=\"5\">{name}</th></tr>\n")
}

const NOTES: &str = "<p class=\"note\">The first word of evenkeel and of steps comes later on purpose: here they hand an \
    answer on when it is complete, so that none breaks off before a customer’s eyes. The others show each word as it comes, also of answers \
    that then break off. By default evenkeel streams too; it then shows the first word as soon as they do, and an answer \
    that breaks off after that is an error to its caller.</p>\n\
    <p class=\"note\">“Noticed” is the time from the start of an outage to the first call that is not sent to the primary; \
    “in use again” from the start of a healthy phase to the first ten seconds of whose calls the primary answered 95 %. A \
    client that always asks the primary notices nothing, and is always back at once. Where it was not in use again, the \
    healthy phase was too short: a breaker waits up to 30 s before it asks again, and then lets calls in over 20 s.</p>\n";

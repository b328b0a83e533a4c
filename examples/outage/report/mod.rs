//! The report: one page that needs nothing else.

mod answers;
mod breaker;
mod canvas;
mod figures;
mod load;
mod made;
mod phases;

use evenkeel_testkit::{Figures, scenario::Kind};

use super::{
    play::{Failure, Played},
    words::{answered, count, headline, nothing, pressure, share, sources, three, without},
};
use canvas::{NARROW, Size, WIDE};

/// The page.
pub(crate) fn page(played: &Played) -> Result<String, Failure> {
    let report = &played.report;
    let title = escape(&format!("{}: four clients", report.incident));
    let style = include_str!("style.css");
    let parts = [
        header(played),
        customers(played)?,
        provider(played)?,
        figures::section(played),
        made::section(played),
    ];
    Ok(format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>\n{style}</style>\n</head>\n\
         <body>\n<main>\n{}</main>\n</body>\n</html>\n",
        parts.concat()
    ))
}

fn header(played: &Played) -> String {
    let report = &played.report;
    format!(
        "<header>\n<p class=\"eyebrow\">{} · {}</p>\n<h1>{}</h1>\n<p class=\"lead\">{}</p>\n</header>\n",
        escape(&report.incident),
        escape(&how(played)),
        escape(&headline(report)),
        escape(&lead(played)),
    )
}

/// How it was played, in a few words.
fn how(played: &Played) -> String {
    let length = made::length(played.plan.day.length());
    match (played.plan.live, played.plan.is_condensed()) {
        (false, _) => format!("{length}, at full length in virtual time"),
        (true, true) => format!("{length}, condensed to 40 s over real sockets"),
        (true, false) => format!("{length}, ten times as fast over real sockets"),
    }
}

fn lead(played: &Played) -> String {
    let [plain, retries, evenkeel] = three(&played.report);
    if plain.calls == 0 {
        return String::new();
    }
    let mut text = format!(
        "Retries, as the official SDKs have them, left {} without one{}. evenkeel’s customers had their answers{}",
        share(nothing(retries), retries.calls),
        hammered(retries),
        sources(evenkeel),
    );
    if let Some(each) = pressure(evenkeel) {
        text += &format!(
            "; while the primary was down it was spared, with {each:.2} attempts for each call"
        );
    }
    text += ".";
    if let Some(share) = played.report.clients.last().and_then(without) {
        text += &format!(
            " Of the calls with a tool that was gone, the primary answered steps {share}, without it."
        );
    }
    text
}

fn hammered(figures: &Figures) -> String {
    pressure(figures).map_or(String::new(), |each| {
        format!(", and sent a primary that was down {each:.1} attempts for each call")
    })
}

/// Answers over time.
fn customers(played: &Played) -> Result<String, Failure> {
    let mut rows = phases::strip(played)?;
    for figures in &played.report.clients {
        let text =
            format!("{} of the calls were answered", share(answered(figures), figures.calls));
        let big = share(answered(figures), figures.calls);
        let aside = aside(&figures.name, &big, "of its customers got an answer");
        rows += &row(&aside, &answers::plots(played, figures, &text)?);
    }
    rows += &row("", &phases::axis(played)?);
    let legend = Kind::ALL.map(|kind| match played.report.clients.iter().any(|f| f.of(kind) > 0) {
        true => format!("<li><i class=\"{}\"></i>{}</li>", kind.name(), answers::words(kind)),
        false => String::new(),
    });
    let (calls, legend) = (count(three(&played.report)[0].calls), legend.concat());
    let phases = phases::legend(played);
    Ok(section(
        "customers",
        "What the customers got",
        &format!(
            "<p>Of the calls made at a time, how many were answered, and by whom. Each client got the same {calls} calls \
         at the same moments.</p>\n<ul class=\"legend\">{legend}</ul>\n{phases}{rows}"
        ),
    ))
}

/// Attempts on the primary over time, and the breakers.
fn provider(played: &Played) -> Result<String, Failure> {
    let mut rows = phases::strip(played)?;
    for figures in &played.report.clients {
        let down = pressure(figures).map_or("–".into(), |each| format!("{each:.2}"));
        let text = format!("{} attempts reached the primary", count(figures.attempts_primary));
        let aside = aside(&figures.name, &down, "attempts for each call while it was down");
        rows += &row(&aside, &load::plots(played, figures, &text)?);
    }
    rows += &breaker::rows(played)?;
    rows += &row("", &phases::axis(played)?);
    let legend = breaker::STATES
        .map(|(state, words)| format!("<li><i class=\"{state}\"></i>{words}</li>"))
        .concat();
    Ok(section(
        "provider",
        "What the primary had to bear",
        &format!(
            "<p>Attempts that reached the primary, a minute. The dashed line is what the customers asked for: {:.0} calls \
         a minute.</p>\n{rows}<p class=\"key\">The breakers of evenkeel and of steps: the part of the time that each was in a state</p>\n\
         <ul class=\"legend\">{legend}</ul>\n",
            played.report.rate
        ),
    ))
}

fn section(id: &str, head: &str, inner: &str) -> String {
    format!("<section id=\"{id}\">\n<h2>{head}</h2>\n{inner}</section>\n")
}

fn aside(name: &str, big: &str, words: &str) -> String {
    format!("<h3>{name}</h3><p><b>{big}</b> {words}</p>", name = escape(name))
}

fn row(aside: &str, plots: &str) -> String {
    format!(
        "<div class=\"row\"><div class=\"aside\">{aside}</div><div class=\"plot\">{plots}</div></div>\n"
    )
}

/// The same plot for wide and for narrow windows: text in a plot shrinks with it.
fn both(draw: impl Fn(Size) -> Result<String, Failure>) -> Result<String, Failure> {
    Ok(draw(WIDE)? + &draw(NARROW)?)
}

/// Text for a page.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use evenkeel_testkit::Incident;

    use super::*;
    use crate::{plan::Plan, play, progress::Bars, table};

    const OUTAGE: &str = r#"{"name": "<script>alert(1)</script>\u001b[2J", "facts": ["a < b"], "phases_min": [
        {"from": 0, "to": 2, "provider": "healthy"},
        {"from": 2, "to": 4, "provider": "down"},
        {"from": 4, "to": 8, "provider": "<b>odd</b>"},
        {"from": 8, "to": 12, "provider": "healthy"}],
        "states": {"<b>odd</b>": {}}}"#;

    fn played(rate: f64) -> Played {
        let plan = Plan::new(Incident::parse(OUTAGE).unwrap(), false, (1, rate));
        play::all(&plan, &Bars::new(&plan, true)).unwrap()
    }

    #[test]
    fn the_page_needs_nothing_else_and_runs_nothing() {
        let page = page(&played(60.0)).unwrap();
        for foreign in ["<script", "http:", "https:", "src=", "href=", "@import", "url(", "<b>odd"]
        {
            assert!(!page.contains(foreign), "{foreign}");
        }
        assert!(page.contains("&lt;script&gt;alert(1)") && page.contains("a &lt; b"));
        assert!(!page.contains('\x1b'));
    }

    #[test]
    fn everything_is_drawn_for_every_client_in_both_widths() {
        let page = page(&played(60.0)).unwrap();
        // Twice the providers' states, the axis, four clients; and the breakers of the primary, which alone were at work:
        // one of evenkeel; of steps one for each of its three ways to ask it.
        assert_eq!(page.matches("<svg class=\"wide\"").count(), 2 * 6 + 1 + 3);
        assert_eq!(page.matches("<svg class=\"narrow\"").count(), 2 * 6 + 1 + 3);
        assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
        for name in crate::clients::NAMES {
            assert_eq!(page.matches(&format!("<h3>{name}</h3>")).count(), 2, "{name}");
        }
        assert!(page.contains(crate::clients::CANNED));
    }

    #[test]
    fn the_same_seed_gives_the_same_page() {
        assert_eq!(page(&played(60.0)).unwrap(), page(&played(60.0)).unwrap());
    }

    #[test]
    fn a_day_without_a_call_is_told_as_one() {
        let played = played(0.001);
        assert_eq!(played.report.clients[0].calls, 0);
        assert!(page(&played).unwrap().contains("No call was made"));
        assert!(table::table(&played).contains("No call was made"));
    }

    #[test]
    fn the_columns_of_a_table_stand_in_line() {
        let table = table::table(&played(60.0));
        assert!(!table.contains('\x1b'));
        for block in table.split("\n\n").filter(|block| block.starts_with("  ")) {
            let mut ends = block
                .lines()
                .filter(|line| line.starts_with("  "))
                .map(|line| line.chars().count());
            let first = ends.next();
            assert!(first.is_some() && ends.all(|end| Some(end) == first), "{block}");
        }
    }
}

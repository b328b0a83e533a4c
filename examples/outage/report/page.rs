//! The page: header, the answers, the load on the primary, the figures and the method.

use evenkeel_testkit::{Metrics, scenario::CallResult};

use super::{
    super::{
        numbers::{count, share},
        play::{BoxError, RunResult},
        summary::{
            answered, answered_without_tool, attempts_per_call_while_down, first_three, headline,
            sources, unanswered,
        },
    },
    answers, breaker, breaker_changes, figures,
    html::{aside, escape, row, section},
    load, method, phases,
};

/// The whole page.
pub(crate) fn page(result: &RunResult) -> Result<String, BoxError> {
    let report = &result.report;
    let title = escape(&format!("{}: four clients", report.incident));
    let style = include_str!("style.css");
    let parts = [
        header(result),
        answers_section(result)?,
        load_section(result)?,
        figures::section(result),
        method::section(result),
    ];
    Ok(format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>\n{style}</style>\n</head>\n\
         <body>\n<main>\n{}</main>\n</body>\n</html>\n",
        parts.concat()
    ))
}

fn header(result: &RunResult) -> String {
    let report = &result.report;
    format!(
        "<header>\n<p class=\"eyebrow\">{} · {}</p>\n<h1>{}</h1>\n<p class=\"lead\">{}</p>\n</header>\n",
        escape(&report.incident),
        escape(&mode(result)),
        escape(&headline(report)),
        escape(&lead(result)),
    )
}

/// The length of the incident and the kind of run.
fn mode(result: &RunResult) -> String {
    let length = method::length(result.plan.incident.length());
    match (result.plan.live, result.plan.is_condensed()) {
        (false, _) => format!("{length}, at full length in virtual time"),
        (true, true) => format!("{length}, condensed to 40 s over real sockets"),
        (true, false) => format!("{length}, ten times as fast over real sockets"),
    }
}

fn lead(result: &RunResult) -> String {
    let [plain, retries, evenkeel] = first_three(&result.report);
    if plain.calls == 0 {
        return String::new();
    }
    let mut text = format!(
        "With the retries of the official SDKs {} of the customers got no answer{}. evenkeel answered its customers{}",
        share(unanswered(retries), retries.calls),
        retry_load(retries),
        sources(evenkeel),
    );
    if let Some(attempts) = attempts_per_call_while_down(evenkeel) {
        text += &format!("; while the primary was down, it got {attempts:.2} attempts per call");
    }
    text += ".";
    if let Some(share) = result.report.clients.last().and_then(answered_without_tool) {
        text += &format!(
            " Of the calls of steps with an unavailable tool, the primary answered {share} without the tool."
        );
    }
    text
}

/// A clause on the load that a client with retries puts on a primary that is down.
fn retry_load(figures: &Metrics) -> String {
    attempts_per_call_while_down(figures).map_or(String::new(), |attempts| {
        format!(", and a primary that was down got {attempts:.1} attempts per call")
    })
}

/// The answers over time.
fn answers_section(result: &RunResult) -> Result<String, BoxError> {
    let mut rows = phases::strip(result)?;
    for figures in &result.report.clients {
        let share = share(answered(figures), figures.calls);
        let aside = aside(&figures.name, &share, "of its customers got an answer");
        let label = format!("{share} of the calls were answered");
        rows += &row(&aside, &answers::plots(result, figures, &label)?);
    }
    rows += &row("", &phases::axis(result)?);
    let legend =
        CallResult::ALL.map(|kind| match result.report.clients.iter().any(|f| f.of(kind) > 0) {
            true => format!("<li><i class=\"{}\"></i>{}</li>", kind.name(), answers::name(kind)),
            false => String::new(),
        });
    let (calls, legend) = (count(first_three(&result.report)[0].calls), legend.concat());
    let phases = phases::legend(result);
    Ok(section(
        "customers",
        "What the customers got",
        &format!(
            "<p>The share of the calls made at a time that were answered, by source. Each client got the same {calls} calls \
         at the same times.</p>\n<ul class=\"legend\">{legend}</ul>\n{phases}{rows}"
        ),
    ))
}

/// The attempts on the primary and the states of the breakers over time.
fn load_section(result: &RunResult) -> Result<String, BoxError> {
    let mut rows = phases::strip(result)?;
    for figures in &result.report.clients {
        let attempts = attempts_per_call_while_down(figures);
        let attempts = attempts.map_or("–".into(), |attempts| format!("{attempts:.2}"));
        let label = format!("{} attempts reached the primary", count(figures.attempts_primary));
        let aside = aside(&figures.name, &attempts, "attempts per call while it was down");
        rows += &row(&aside, &load::plots(result, figures, &label)?);
    }
    rows += &breaker::rows(result)?;
    rows += &row("", &phases::axis(result)?);
    let legend = breaker::STATES
        .map(|state| format!("<li><i class=\"{}\"></i>{}</li>", state.name, state.meaning))
        .concat();
    let changes = breaker_changes::tables(result);
    Ok(section(
        "provider",
        "The load on the primary",
        &format!(
            "<p>Attempts per minute that reached the primary. The dashed line is the rate of the calls: {:.0} per minute.</p>\n\
         {rows}<p class=\"key\">The breakers of evenkeel and steps: the share of time in each state</p>\n\
         <ul class=\"legend\">{legend}</ul>\n\
         <p class=\"key\">Why each breaker changed its state. A breaker guards one provider and model: it stops the calls while \
         most of them would fail, and lets them through again step by step.</p>\n{changes}",
            result.report.rate
        ),
    ))
}

#[cfg(test)]
mod tests {
    use evenkeel_testkit::Incident;

    use super::*;
    use crate::{plan::RunPlan, play, progress::Bars, table};

    const OUTAGE: &str = r#"{"name": "<script>alert(1)</script>\u001b[2J", "facts": ["a < b"], "phases_min": [
        {"from": 0, "to": 2, "provider": "healthy"},
        {"from": 2, "to": 4, "provider": "down"},
        {"from": 4, "to": 8, "provider": "<b>odd</b>"},
        {"from": 8, "to": 12, "provider": "healthy"}],
        "states": {"<b>odd</b>": {}}}"#;

    fn run(rate: f64) -> RunResult {
        let plan = RunPlan::in_virtual_time(Incident::parse(OUTAGE).unwrap(), 1, rate);
        play::all_clients(&plan, &Bars::new(&plan, true)).unwrap()
    }

    #[test]
    fn the_page_has_no_external_resources_and_no_scripts() {
        let page = page(&run(60.0)).unwrap();
        for foreign in ["<script", "http:", "https:", "src=", "href=", "@import", "url(", "<b>odd"]
        {
            assert!(!page.contains(foreign), "{foreign}");
        }
        assert!(page.contains("&lt;script&gt;alert(1)") && page.contains("a &lt; b"));
        assert!(!page.contains('\x1b'));
    }

    #[test]
    fn everything_is_drawn_for_every_client_in_both_widths() {
        let page = page(&run(60.0)).unwrap();
        // Twice: the states of the providers, four clients and the axis. Once: the breakers for the primary, one of evenkeel
        // and three of steps, less one state strip.
        assert_eq!(page.matches("<svg class=\"wide\"").count(), 2 * 6 + 1 + 3);
        assert_eq!(page.matches("<svg class=\"narrow\"").count(), 2 * 6 + 1 + 3);
        assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
        for name in crate::clients::NAMES {
            assert_eq!(page.matches(&format!("<h3>{name}</h3>")).count(), 2, "{name}");
        }
        assert!(page.contains(crate::clients::CANNED));
    }

    #[test]
    fn every_breaker_of_the_page_has_its_changes_in_words() {
        let page = page(&run(60.0)).unwrap();
        let lanes = page.matches("<p class=\"lane\">").count();
        let explained = page.matches("<details class=\"changes\">").count();
        let unchanged = page.matches(": closed throughout.").count();
        assert_eq!(lanes, explained + unchanged);
        assert!(explained >= 2, "the breakers of both clients have opened");
        for words in ["It opened for", "as a probe", "A growing share", "Every call is sent to it"]
        {
            assert!(page.contains(words), "{words}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_page() {
        assert_eq!(page(&run(60.0)).unwrap(), page(&run(60.0)).unwrap());
    }

    #[test]
    fn an_incident_without_a_call_is_reported_as_such() {
        let result = run(0.001);
        assert_eq!(result.report.clients[0].calls, 0);
        assert!(page(&result).unwrap().contains("No call was made"));
        assert!(table::table(&result).contains("No call was made"));
    }

    #[test]
    fn the_columns_of_a_table_are_aligned() {
        let table = table::table(&run(60.0));
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

//! The method section: which parts are real, simulated and scaled.

use std::time::Duration;

use super::{
    super::{clients::CANNED, numbers::count, plan::MIN_PHASE, play::RunResult},
    html::{escape, section as html_section},
};

/// The section.
pub(super) fn section(result: &RunResult) -> String {
    let entries =
        [incident(result), providers(result), time(result), clients(), failure_reasons(result)];
    html_section("method", "Method", &format!("<dl>\n{}</dl>\n", entries.concat()))
}

fn entry(term: &str, text: &str) -> String {
    format!("<dt>{term}</dt><dd>{text}</dd>\n")
}

fn incident(result: &RunResult) -> String {
    let incident = &result.plan.incident;
    let mut text = format!("<p>{}.", escape(incident.name()));
    if !incident.source().is_empty() {
        text += &format!(" Times from: {}.", escape(incident.source()));
    }
    text += "</p>";
    if !incident.facts().is_empty() {
        let facts = incident.facts().iter().map(|fact| format!("<li>{}</li>", escape(fact)));
        text += &format!("<ul>{}</ul>", facts.collect::<String>());
    }
    if !incident.note().is_empty() {
        text += &format!("<p>{}</p>", escape(incident.note()));
    }
    entry("The outage", &text)
}

fn providers(result: &RunResult) -> String {
    let place = match result.plan.live {
        true => "on loopback sockets, with real HTTP, real refusals and resets",
        false => "in process, without sockets",
    };
    let rate = result.report.rate;
    entry(
        "The providers",
        &format!(
            "<p>Simulated: no real API was called. A primary and a secondary follow the incident {place}. Each client has \
             its own pair of providers, so that the load of one client does not affect another. A provider that is down \
             does not get worse under load, which favours the clients that send many attempts. A good answer is always \
             the same sixty words. Calls arrive at random, {rate} per minute on average{}.</p>",
            tools(result),
        ),
    )
}

fn tools(result: &RunResult) -> String {
    let tools: Vec<_> = result.plan.incident.tools().into_iter().map(escape).collect();
    match tools.is_empty() {
        true => String::new(),
        false => format!("; every second call has the tool {}", tools.join(", ")),
    }
}

fn time(result: &RunResult) -> String {
    let text = match result.plan.live {
        true => live_time(result),
        false => format!(
            "<p>Virtual: the clock of the program jumps from one event to the next. All {} were played; nothing is \
             shortened or scaled. The same seed gives the same figures.</p>",
            length(result.plan.incident.length())
        ),
    };
    entry("The time", &text)
}

fn live_time(result: &RunResult) -> String {
    let (shortened, note) = match result.plan.is_condensed() {
        true => (condensed(result), CONDENSED_NOTE),
        false => ("Nothing was shortened.".into(), ""),
    };
    format!(
        "<p>{shortened} The run was ten times as fast: the latencies of the providers and all limits of the clients, such as \
         the 30 s of evenkeel and the 600 s of the SDKs, are a tenth. The times in this report are converted back. \
         (One limit is not scaled: evenkeel waits at least 50 ms before a retry.)</p>{note}"
    )
}

fn condensed(result: &RunResult) -> String {
    format!(
        "Condensed: the {} were shortened to {}. Each phase keeps up to {} s of its length and a share of the rest. The time \
         axis shows the hours and minutes of the original incident at the ends of phases.",
        length(result.plan.incident.length()),
        length(result.plan.played.length()),
        MIN_PHASE.as_secs(),
    )
}

const CONDENSED_NOTE: &str = "<p>The time in which a breaker detects an outage or a recovery is a larger share of a \
    condensed incident. <code>--virtual</code> plays the incident at full length within seconds.</p>";

fn clients() -> String {
    entry(
        "The clients",
        &format!(
            "<ul><li><b>plain</b>: reqwest with its defaults. It sends each request once and waits.</li>\
             <li><b>retries</b>: the defaults of the official SDKs: two retries of failed connections and of 408, 409, 429 \
             and 5xx, after 0.5 s and 1 s less up to a quarter, and a timeout of 600 s. As in the SDKs, nothing is retried \
             after the head of a response.</li>\
             <li><b>evenkeel</b>: the interactive profile, but an answer is returned only when it is complete. The \
             fallbacks are the secondary and a canned reply.</li>\
             <li><b>steps</b>: like evenkeel, with more fallbacks: the same model without the tool web_search; a small model \
             of the primary, without tools and with at most 512 tokens; the secondary; the last good answer of the primary \
             to the same question, up to a day old; a canned reply. Three of the six steps send to the primary, each with \
             its own breaker. These breakers stay open for up to 75 s instead of 30 s, so that together they send no more \
             probes than one.</li></ul>\
             <p>plain and retries have no second provider: the comparison shows the value of having one and of moving there \
             in time. The canned reply does not answer the question, but reaches the customer in time: “{}”</p>",
            escape(CANNED)
        ),
    )
}

fn failure_reasons(result: &RunResult) -> String {
    let reasons = |f: &evenkeel_testkit::Metrics| {
        let mut reasons: Vec<_> = f.reasons.iter().collect();
        reasons.sort_by_key(|(reason, number)| (std::cmp::Reverse(**number), reason.as_str()));
        let most_frequent = reasons.iter().take(6);
        let texts: Vec<_> = most_frequent
            .map(|(reason, number)| format!("{}: {}", escape(reason), count(**number)))
            .collect();
        if texts.is_empty() { "none".into() } else { texts.join("; ") }
    };
    let line = |f: &evenkeel_testkit::Metrics| {
        format!("<li><b>{}</b>: {}</li>", escape(&f.name), reasons(f))
    };
    let lines: String = result.report.clients.iter().map(line).collect();
    entry(
        "What counts as an answer",
        &format!(
            "<p>An answer counts when it is complete: all sixty words and the end of the answer, checked by the test program \
             and not by the client under test. A truncated answer is an error. The most frequent errors by client:</p>\
             <ul>{lines}</ul>"
        ),
    )
}

/// A length of time: `11 h 48 min`.
pub(super) fn length(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, minutes, 0) => format!("{minutes} min"),
        (0, _, _) => format!("{seconds} s"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

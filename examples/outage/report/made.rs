//! How the report was made: what is real in it, what is simulated, what is scaled.

use std::time::Duration;

use super::{
    super::{clients::CANNED, plan::FLOOR, play::Played, words::count},
    escape,
};

pub(super) fn section(played: &Played) -> String {
    let parts = [incident(played), providers(played), time(played), clients(), judge(played)];
    format!(
        "<section id=\"made\">\n<h2>How this was made</h2>\n<dl>\n{}</dl>\n</section>\n",
        parts.concat()
    )
}

fn entry(term: &str, text: &str) -> String {
    format!("<dt>{term}</dt><dd>{text}</dd>\n")
}

fn incident(played: &Played) -> String {
    let day = &played.plan.day;
    let mut text = format!("<p>{}.", escape(day.name()));
    if !day.source().is_empty() {
        text += &format!(" Times from: {}.", escape(day.source()));
    }
    text += "</p>";
    if !day.facts().is_empty() {
        let facts = day.facts().iter().map(|fact| format!("<li>{}</li>", escape(fact)));
        text += &format!("<ul>{}</ul>", facts.collect::<String>());
    }
    if !day.note().is_empty() {
        text += &format!("<p>{}</p>", escape(day.note()));
    }
    entry("The outage", &text)
}

fn providers(played: &Played) -> String {
    let place = match played.plan.live {
        true => "on loopback sockets of this machine, with real HTTP, real refusals and resets",
        false => "within the program, without sockets",
    };
    let rate = played.report.rate;
    entry(
        "The providers",
        &format!(
            "<p>Simulated: nobody’s API was called. A primary and a secondary follow the incident {place}. Each client has \
             a pair of its own, so that the load of one does not touch another; a provider that is down fails no harder \
             for being hammered, which is kind to the clients that hammer it. A good answer is always the same sixty \
             words. Calls come at random, {rate} a minute on average{}.</p>",
            tools(played),
        ),
    )
}

fn tools(played: &Played) -> String {
    let tools: Vec<_> = played.plan.day.tools().into_iter().map(escape).collect();
    match tools.is_empty() {
        true => String::new(),
        false => format!("; every second brings the tool {}", tools.join(", ")),
    }
}

fn time(played: &Played) -> String {
    let text = match played.plan.live {
        true => fast(played),
        false => format!(
            "<p>Virtual: the program’s clock jumps from one event to the next. All {} were played, nothing is shortened \
             and nothing is scaled. The same seed gives the same figures.</p>",
            length(played.plan.day.length())
        ),
    };
    entry("The time", &text)
}

fn fast(played: &Played) -> String {
    let (shortened, so) = match played.plan.is_condensed() {
        true => (condensed(played), LARGER),
        false => ("Nothing was shortened.".into(), ""),
    };
    format!(
        "<p>{shortened} Everything then ran ten times as fast: the latencies of the providers and all limits of the \
         clients, evenkeel’s 30 s and the SDKs’ 600 s alike, are a tenth. All times in this report are multiplied back. \
         (One limit is not scaled: evenkeel waits at least 50 ms before a retry.)</p>{so}"
    )
}

fn condensed(played: &Played) -> String {
    format!(
        "Condensed: the {} were shortened to {}. Each phase keeps up to {} s and gets its share of the rest; the axis \
         shows the hours and minutes of the day, at the ends of phases.",
        length(played.plan.day.length()),
        length(played.plan.played.length()),
        FLOOR.as_secs(),
    )
}

const LARGER: &str = "<p>The minutes of change, when a breaker learns that something is wrong or well again, are a larger \
    part of a shorter day. <code>--virtual</code> plays the day at full length, in seconds.</p>";

fn clients() -> String {
    entry(
        "The clients",
        &format!(
            "<ul><li><b>plain</b>: reqwest as it comes. It asks once and waits.</li>\
             <li><b>retries</b>: what the official SDKs do by default: two retries of failed connections and of 408, 409, 429 \
             and 5xx, after 0.5 s and 1 s less up to a quarter, and 600 s of patience. After the head of an answer nothing is \
             retried, as in the SDKs.</li>\
             <li><b>evenkeel</b>: its interactive profile as it is, but answers are handed on when they are complete; \
             the secondary as second rung, a canned reply as third.</li>\
             <li><b>steps</b>: the same with more rungs: the same model without the tool web_search; a small model of the \
             primary, without tools, with at most 512 tokens; the secondary; the last good answer of the primary to the \
             same question, up to a day old; a canned reply. Three of its rungs ask the primary, each with a breaker of its own; \
             these wait up to 75 s before they ask again, not 30 s, so that together they do not ask more.</li></ul>\
             <p>plain and retries have no second provider: to have one, and to go there in time, is what is compared \
             here. The canned reply is no answer to the question, but a word in time: “{}”</p>",
            escape(CANNED)
        ),
    )
}

fn judge(played: &Played) -> String {
    let reasons = |f: &evenkeel_testkit::Figures| {
        let mut reasons: Vec<_> = f.reasons.iter().collect();
        reasons.sort_by_key(|(why, number)| (std::cmp::Reverse(**number), why.as_str()));
        let words =
            reasons.iter().take(6).map(|(why, n)| format!("{}: {}", escape(why), count(**n)));
        let words: Vec<_> = words.collect();
        if words.is_empty() { "none".into() } else { words.join("; ") }
    };
    let line = |f: &evenkeel_testkit::Figures| {
        format!("<li><b>{}</b>: {}</li>", escape(&f.name), reasons(f))
    };
    let lines: String = played.report.clients.iter().map(line).collect();
    entry(
        "What counts",
        &format!(
            "<p>An answer counts when it is whole: all sixty words and an end, read by the drill itself and not by the \
             client it judges. A cut answer is an error. The errors, by what the caller was told:</p><ul>{}</ul>",
            lines
        ),
    )
}

/// `11 h 48 min`
pub(super) fn length(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, minutes, 0) => format!("{minutes} min"),
        (0, _, _) => format!("{seconds} s"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

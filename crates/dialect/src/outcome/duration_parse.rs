//! Parses durations as providers write them: durations, dates, and sentences that contain one. All in seconds, from `now`.

use std::time::{Duration, SystemTime};

use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};

/// The words before a duration in a message, in lower case.
const LEADS: &[&str] =
    &["try again in ", "retry in ", "retry after ", "try again after ", "reset after "];

/// The words before the day on which a spend limit ends: `2026-07-01 at 00:00 UTC`.
const REGAIN: &str = "regain access on ";

/// From these numbers on, a hint is a time since 1970, in seconds or in milliseconds: as a duration, the smaller is thirty years.
const UNIX_SECONDS: f64 = 1e9;
const UNIX_MILLIS: f64 = 1e11;

/// Parses a duration: numbers with their units, such as `30s`, `250ms`, `1m 30s`, `1.5h` and `15min`. The units are `ns`, `us`,
/// `ms`, `s`, `m`, `h` and `d`, or their names.
pub fn parse_duration(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(duration(text.trim())?).ok()
}

/// Parses a text that is a duration: `1h2m3.5s`, `20ms`, `45.837906927s`.
pub(super) fn duration(text: &str) -> Option<f64> {
    leading(text).filter(|(_, rest)| rest.is_empty()).map(|(seconds, _)| seconds)
}

/// Parses a reset: a duration, seconds, a time in seconds or milliseconds since 1970, or an RFC 3339 date.
pub(super) fn moment(text: &str, now: SystemTime) -> Option<f64> {
    let number = text.parse().ok().map(|number| from_now(number, now));
    number.or_else(|| duration(text)).or_else(|| until(text.parse().ok()?, now))
}

/// Seconds, or the time left until a time in seconds or milliseconds since 1970.
pub(super) fn from_now(number: f64, now: SystemTime) -> f64 {
    if number >= UNIX_MILLIS {
        number / 1000.0 - unix(now)
    } else if number >= UNIX_SECONDS {
        number - unix(now)
    } else {
        number
    }
}

/// The time until an HTTP date in any of its three formats, or a date as in an e-mail: with any weekday, and any zone or none.
pub(super) fn until_date(text: &str, now: SystemTime) -> Option<f64> {
    if let Ok(date) = httpdate::parse_http_date(text) {
        return Some(unix(date) - unix(now));
    }
    let date = text.split_once(',').map_or(text, |(_weekday, date)| date).trim();
    let mail = DateTimeParser::new();
    let read = mail.parse_timestamp(date).or_else(|_| mail.parse_timestamp(format!("{date} GMT")));
    until(read.ok()?, now)
}

/// The first wait that a message asks for.
pub(super) fn in_text(text: &str, now: SystemTime) -> Option<f64> {
    let text = text.to_ascii_lowercase();
    let after =
        |lead: &str| text.match_indices(lead).find_map(|(at, _)| leading(&text[at + lead.len()..]));
    let span = LEADS.iter().find_map(|lead| after(lead)).map(|(seconds, _)| seconds);
    span.or_else(|| {
        let (_, date) = text.split_once(REGAIN)?;
        let (day, time) = date.split_once(" at ")?;
        until(format!("{day}T{}:00Z", time.get(..5)?).parse().ok()?, now)
    })
}

/// The duration at the start of a text, and the rest: numbers with units, joined by nothing, a space, a comma or `and`.
fn leading(text: &str) -> Option<(f64, &str)> {
    let (mut total, mut rest) = part(text)?;
    loop {
        let next = rest.trim_start_matches([' ', ',']);
        match part(next.strip_prefix("and ").unwrap_or(next)) {
            Some((more, after)) => (total, rest) = (total + more, after),
            None => return Some((total, rest)),
        }
    }
}

fn part(text: &str) -> Option<(f64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at(digits);
    let rest = rest.trim_start_matches(' ');
    let letters = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(letters);
    Some((number.parse::<f64>().ok()? * unit(name)?, rest))
}

fn unit(name: &str) -> Option<f64> {
    Some(match name {
        "ns" => 1e-9,
        "us" | "µs" | "μs" => 1e-6,
        "ms" | "millisecond" | "milliseconds" => 1e-3,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86400.0,
        _ => return None,
    })
}

fn until(date: Timestamp, now: SystemTime) -> Option<f64> {
    Some(date.as_nanosecond() as f64 / 1e9 - unix(now))
}

/// Seconds since 1970; negative before it.
fn unix(time: SystemTime) -> f64 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => since.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    }
}

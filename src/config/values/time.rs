//! Durations as people write them.

use std::{fmt, time::Duration};

use evenkeel_dialect::outcome::parse_duration;
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

use super::shown;

/// A duration: a text with units, or a number of seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::config) struct Time(pub(in crate::config) Duration);

struct TimeVisitor;

const ALLOWED: &str =
    "allowed is a duration with its unit, such as \"30s\", \"250ms\", \"1m 30s\" or \"15min\"";

/// A longer duration is a mistake.
const LONGEST: Duration = Duration::from_secs(31 * 24 * 3600);

// === impl Time ===

impl Time {
    fn of_seconds<E: Error>(seconds: f64) -> Result<Self, E> {
        let time = Duration::try_from_secs_f64(seconds);
        time.map_err(|_| E::custom(format!("is {seconds}; {ALLOWED}, or a number of seconds")))
            .and_then(Self::checked)
    }

    fn of_text<E: Error>(text: &str) -> Result<Self, E> {
        let is = |what: &str| E::custom(format!("is {what}; {ALLOWED}"));
        if let Some(time) = parse_duration(text) {
            return Self::checked(time);
        }
        match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Err(is(&format!("{text:?} without a unit"))),
            _ if text.starts_with(|c: char| c.is_ascii_digit()) => Err(is(&shown(text))),
            _ => Err(is("no duration")),
        }
    }

    fn checked<E: Error>(time: Duration) -> Result<Self, E> {
        if time <= LONGEST {
            return Ok(Self(time));
        }
        Err(E::custom(format!("is {time:?}; allowed is at most 31 days")))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimeVisitor)
    }
}

// === impl TimeVisitor ===

impl Visitor<'_> for TimeVisitor {
    type Value = Time;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration with its unit, such as \"30s\", or a number of seconds")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Time, E> {
        Time::of_text(text)
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Time, E> {
        Time::of_seconds(seconds as f64)
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Time, E> {
        Time::of_seconds(seconds as f64)
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<Time, E> {
        Time::of_seconds(seconds)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: serde_json::Value) -> Result<u128, String> {
        let time = serde_json::from_value::<Time>(value);
        time.map(|time| time.0.as_millis()).map_err(|error| error.to_string())
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, millis) in [
            ("30s", 30_000),
            ("250ms", 250),
            ("1m 30s", 90_000),
            ("1m30s", 90_000),
            ("15min", 900_000),
            ("1.5 hours", 5_400_000),
            (" 2 days ", 172_800_000),
            ("0s", 0),
        ] {
            assert_eq!(read(json!(text)), Ok(millis), "{text}");
        }
        assert_eq!((read(json!(2)), read(json!(0.7))), (Ok(2000), Ok(700)));
    }

    #[test]
    fn a_duration_that_is_none_is_refused_with_the_right_form() {
        for (value, is) in [
            (
                json!("30"),
                "is \"30\" without a unit; allowed is a duration with its unit, such as \"30s\"",
            ),
            (json!("30 parsecs"), "is \"30 parsecs\"; allowed"),
            (json!("sk-1"), "is no duration; allowed"),
            (json!(""), "is no duration; allowed"),
            (json!(-1), "is -1; allowed"),
            (json!(1e300), "is 1000"),
            (json!("40d"), "is 3456000s; allowed is at most 31 days"),
            (json!("9e999s"), "is "),
        ] {
            let error = read(value.clone()).unwrap_err();
            assert!(error.starts_with(is), "{value}: {error}");
        }
    }
}

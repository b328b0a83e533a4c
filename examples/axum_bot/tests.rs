//! The bot through outages: in virtual time over providers in process, and over sockets.

mod outage;
mod sockets;

use serde_json::{Value, json};

/// The body of a question.
fn question(text: &str) -> String {
    json!({ "turns": [{ "visitor": text }] }).to_string()
}

/// An answer as the page shows it.
#[derive(Debug, Default, PartialEq)]
struct ShownAnswer {
    source: Option<String>,
    label: Option<String>,
    words: String,
    failed: Option<String>,
    attempts: Option<String>,
}

impl ShownAnswer {
    fn of(body: &str) -> Self {
        let mut shown = Self::default();
        for line in body.lines() {
            let part: Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| part[name].as_str().map(String::from);
            match part["type"].as_str() {
                Some("source") => (shown.source, shown.label) = (text("source"), text("label")),
                Some("words") => shown.words += &text("text").unwrap(),
                Some("failed") => shown.failed = text("text"),
                Some("end") => shown.attempts = text("attempts"),
                other => panic!("unknown part {other:?}"),
            }
        }
        shown
    }
}

//! Removes the oldest turns until the request fits a context.

use std::collections::HashSet;

use super::{
    RequestEditor,
    message::{Message, Role},
};
use crate::lazy_json::LazyJson;

/// The request is too large for the context even without the earlier turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoesNotFit;

/// The tokens of an image or a file: the request does not declare their size.
const PICTURE: u64 = 1000;
/// A text of this length with only base64 characters counts as data.
const LONG: usize = 1024;

// === impl RequestEditor ===

impl RequestEditor<'_> {
    /// Removes the oldest turns until the request, and the answer it allows, fit `context` tokens. Returns the number of turns
    /// removed.
    ///
    /// System turns, the last question of the user and everything after the last answer stay. Calls are removed with their
    /// results: first whole exchanges, from one question to the next; then, within the last one, round after round of calls.
    pub fn truncate_history(&mut self, context: u64) -> Result<usize, DoesNotFit> {
        let room = context.saturating_sub(self.most().unwrap_or_default());
        let mut size = quarters_of(&self.body);
        if size.div_ceil(4) <= room {
            return Ok(0);
        }
        let dialect = self.dialect;
        let Some(list) = self.body.get(self.turns_name()) else { return Err(DoesNotFit) };
        let sizes: Vec<_> = list.to_items().iter().map(quarters_of).collect();
        let turns: Vec<_> =
            list.to_items().iter().map(|turn| Message::read(dialect, turn)).collect();
        let mut drop = HashSet::new();
        for part in parts(&turns) {
            if size.div_ceil(4) <= room {
                break;
            }
            size = size.saturating_sub(part.iter().map(|at| sizes[*at]).sum());
            drop.extend(part);
        }
        if size.div_ceil(4) > room {
            return Err(DoesNotFit);
        }
        let orphans = orphans(&turns, &drop);
        self.without(&drop);
        if !orphans.is_empty() {
            self.strip(&orphans);
        }
        Ok(drop.len())
    }

    /// The estimated tokens of the request: a quarter of its bytes, and a constant for each image. Only the provider can count
    /// them.
    pub fn tokens(&self) -> u64 {
        quarters_of(&self.body).div_ceil(4)
    }

    fn without(&mut self, drop: &HashSet<usize>) {
        let Some(turns) = self.turns() else { return };
        let mut at = 0;
        turns.retain(|_| {
            at += 1;
            !drop.contains(&(at - 1))
        });
        self.changed = true;
    }
}

/// The calls to remove with those turns: a result after a later question must not outlive its call.
fn orphans(turns: &[Message], drop: &HashSet<usize>) -> HashSet<String> {
    let ids = |gone: bool| -> HashSet<String> {
        let all = turns.iter().enumerate().filter(|(at, _)| drop.contains(at) == gone);
        all.flat_map(|(_, turn)| turn.calls.iter().map(|call| call.id.clone())).collect()
    };
    ids(true).difference(&ids(false)).cloned().collect()
}

/// The turns that may be removed, in order, each with its dependent turns.
fn parts(turns: &[Message]) -> Vec<Vec<usize>> {
    let spoken = || turns.iter().enumerate().filter(|(_, turn)| turn.role != Role::System);
    let last = spoken().filter(|(_, turn)| turn.role == Role::User).map(|(at, _)| at).next_back();
    // Without a question of the user, the start of an exchange is not known.
    let Some(last) = last else { return Vec::new() };
    let mut parts = exchanges(spoken().take_while(|(at, _)| *at < last));
    parts.extend(rounds(spoken().skip_while(|(at, _)| *at <= last)));
    parts
}

/// The turns from one question to the next.
fn exchanges<'t>(spoken: impl Iterator<Item = (usize, &'t Message)>) -> Vec<Vec<usize>> {
    let mut parts: Vec<Vec<usize>> = Vec::new();
    for (at, turn) in spoken {
        if turn.role == Role::User || parts.is_empty() {
            parts.push(Vec::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push(at);
        }
    }
    parts
}

/// The turns from one round of calls to the next, without the last round: the answer is about that one.
fn rounds<'t>(spoken: impl Iterator<Item = (usize, &'t Message)>) -> Vec<Vec<usize>> {
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    let mut before = Role::User;
    for (at, turn) in spoken {
        if turn.role == Role::Answer && before != Role::Answer {
            rounds.push(Vec::new());
        }
        before = turn.role;
        if let Some(round) = rounds.last_mut() {
            round.push(at);
        }
    }
    rounds.pop();
    rounds
}

/// An estimate of the tokens of a value, in quarters.
fn quarters_of(node: &LazyJson<'_>) -> u64 {
    let commas = |parts: usize| parts.saturating_sub(1) as u64;
    match node {
        LazyJson::Text(text) => quarters(text),
        LazyJson::List(items) => {
            2 + commas(items.len()) + items.iter().map(quarters_of).sum::<u64>()
        }
        LazyJson::Object(fields) => {
            let field =
                |(name, value): &(String, LazyJson<'_>)| name.len() as u64 + 3 + quarters_of(value);
            2 + commas(fields.len()) + fields.iter().map(field).sum::<u64>()
        }
    }
}

/// An estimate of the tokens of a piece of JSON, in quarters.
fn quarters(json: &str) -> u64 {
    let bytes = json.as_bytes();
    let (mut size, mut at) = (0_u64, 0);
    while at < bytes.len() {
        let Some(open) = memchr::memchr(b'"', &bytes[at..]).map(|open| at + open) else { break };
        let mut end = open + 1;
        while end < bytes.len() && bytes[end] != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let text = &bytes[open + 1..end.min(bytes.len())];
        size +=
            (open - at) as u64 + if is_data(text) { PICTURE * 4 } else { text.len() as u64 + 2 };
        at = end + 1;
    }
    size += bytes.len().saturating_sub(at) as u64;
    size
}

/// Whether a text is an image or a file, in base64.
fn is_data(text: &[u8]) -> bool {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"+/=-_\\".contains(b);
    text.len() > LONG && text[text.len() - LONG / 2..].iter().all(plain)
}

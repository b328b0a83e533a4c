//! The oldest turns go, until the request fits a context.

use std::collections::HashSet;

use super::{
    RequestEditor,
    message::{Message, Role},
};

/// The request is too large for the context, whatever of the earlier turns goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoesNotFit;

/// What a picture, or a file, counts: they are told by size nowhere.
const PICTURE: u64 = 1000;
/// From this length on a text without anything but letters of base64 is taken for one.
const LONG: usize = 1024;

// === impl RequestEditor ===

impl RequestEditor<'_> {
    /// Drops the oldest turns until the request, and the answer it allows, fit `context` tokens; returns how many went.
    ///
    /// System turns, the last question of the user and all behind the last answer stay. Calls go with their results: first
    /// whole exchanges, from one question to the next; then, within the last one, round after round of calls.
    pub fn truncate_history(&mut self, context: u64) -> Result<usize, DoesNotFit> {
        let room = context.saturating_sub(self.most().unwrap_or_default());
        let mut size = quarters(&self.body.json());
        if size.div_ceil(4) <= room {
            return Ok(0);
        }
        let dialect = self.dialect;
        let Some(list) = self.body.get(self.turns_name()) else { return Err(DoesNotFit) };
        let sizes: Vec<_> = list.to_items().iter().map(|turn| quarters(&turn.json())).collect();
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

    /// The tokens of the request, about: a quarter of its bytes, pictures apart. Only the provider can count them.
    pub fn tokens(&self) -> u64 {
        quarters(&self.body.json()).div_ceil(4)
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

/// The calls that go with those turns: a result that came after a later question must not outlive its call.
fn orphans(turns: &[Message], drop: &HashSet<usize>) -> HashSet<String> {
    let ids = |gone: bool| -> HashSet<String> {
        let all = turns.iter().enumerate().filter(|(at, _)| drop.contains(at) == gone);
        all.flat_map(|(_, turn)| turn.calls.iter().map(|call| call.id.clone())).collect()
    };
    ids(true).difference(&ids(false)).cloned().collect()
}

/// What may go, in order, each with all that belongs to it.
fn parts(turns: &[Message]) -> Vec<Vec<usize>> {
    let spoken = || turns.iter().enumerate().filter(|(_, turn)| turn.role != Role::System);
    let last = spoken().filter(|(_, turn)| turn.role == Role::User).map(|(at, _)| at).next_back();
    // Without a question of the user's nothing says where an exchange begins.
    let Some(last) = last else { return Vec::new() };
    let mut parts = exchanges(spoken().take_while(|(at, _)| *at < last));
    parts.extend(rounds(spoken().skip_while(|(at, _)| *at <= last)));
    parts
}

/// From one question to the next.
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

/// From one round of calls to the next, but for the last: what came last is what the answer is about.
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

/// The tokens of a piece of JSON, about.
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

/// Whether a text is a picture or a file, in base64.
fn is_data(text: &[u8]) -> bool {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"+/=-_\\".contains(b);
    text.len() > LONG && text[text.len() - LONG / 2..].iter().all(plain)
}

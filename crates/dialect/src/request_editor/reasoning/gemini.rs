//! The thoughts and their signatures in a turn of Gemini.

use super::{
    super::{message::CALL, spelled},
    block::Position,
    chat::STAND_IN,
};
use crate::{lazy_json::LazyJson, marks::Mark};

const SIGNATURE: [&str; 2] = ["thoughtSignature", "thought_signature"];

pub(super) fn marks(turn: &LazyJson<'_>) -> Option<Vec<Mark>> {
    if turn.str_or_empty("role") != "model" {
        return None;
    }
    let parts = turn.get("parts")?;
    let parts = parts.to_items();
    let mut signed = parts.iter().filter_map(signature).peekable();
    if signed.peek().is_none() && !parts.iter().any(is_thought) {
        return None;
    }
    Some(signed.filter_map(|signature| Mark::signature(&signature)).collect())
}

fn signature(part: &LazyJson<'_>) -> Option<String> {
    part.get(spelled(part, SIGNATURE)?)?.string()
}

fn is_thought(part: &LazyJson<'_>) -> bool {
    part.get("thought").is_some_and(|it| it.is_literal("true"))
}

pub(super) fn strip(turn: &mut LazyJson<'_>, position: Position) -> bool {
    let Some(parts) = turn.field("parts").and_then(LazyJson::items) else { return false };
    parts.retain(|part| !is_thought(part));
    for part in parts.iter_mut() {
        let Some(name) = spelled(part, SIGNATURE) else { continue };
        match position.stand_in && spelled(part, CALL).is_some() {
            true => part.set(name, LazyJson::of(STAND_IN)),
            false => drop(part.remove(name)),
        }
    }
    parts.retain(|part| !is_blank(part));
    parts.is_empty()
}

/// Whether a part is a text without any letter, or nothing at all.
fn is_blank(part: &LazyJson<'_>) -> bool {
    let mut part = part.borrow();
    let text = part.str_or_empty("text").trim().is_empty();
    text && part.fields().is_some_and(|all| all.iter().all(|(name, _)| name == "text"))
}

/// Signs the first call of a turn with the stand-in, if no call of it is signed. Returns whether there is one.
pub(super) fn sign(turn: &mut LazyJson<'_>) -> bool {
    let first = turn.get("parts").and_then(|parts| {
        let parts = parts.to_items();
        parts
            .iter()
            .position(|part| spelled(part, CALL).is_some())
            .filter(|at| signature(&parts[*at]).is_none())
    });
    let parts = turn.field("parts").and_then(LazyJson::items);
    let part = first.and_then(|at| parts?.get_mut(at));
    part.is_some_and(|part| {
        part.set(SIGNATURE[0], LazyJson::of(STAND_IN));
        true
    })
}

//! The reasoning in a message of chat completions, of compatible servers, and of Ollama.

use super::block::{Position, is_blank_text, is_thinking};
use crate::{
    lazy_json::LazyJson,
    marks::{Mark, MarkKind},
};

/// The fields that servers have for reasoning: the plain texts first.
const TEXTS: [&str; 4] = ["reasoning_content", "reasoning", "reasoning_text", "thinking"];
const OTHERS: [&str; 3] = ["reasoning_details", "reasoning_opaque", "thinking_blocks"];

/// The documented stand-in for the signature of a call that was made elsewhere.
pub(super) const STAND_IN: &str = "\"skip_thought_signature_validator\"";

const EXTRA: &str = "extra_content";
const SIGNATURE: &str = "thought_signature";

pub(super) fn marks(turn: &LazyJson<'_>) -> Option<Vec<Mark>> {
    if turn.str_or_empty("role") != "assistant" {
        return None;
    }
    let (mut marks, mut texts, mut any) = (Vec::new(), Vec::new(), false);
    for name in TEXTS {
        let Some(text) = turn.get(name) else { continue };
        any = true;
        texts.extend(text.string().and_then(|text| Mark::of(MarkKind::Text, &text)));
    }
    for name in OTHERS {
        let Some(value) = turn.get(name) else { continue };
        any = true;
        marks.extend(value.string().and_then(|text| Mark::signature(&text)));
        marks.extend(value.to_items().iter().flat_map(signed));
    }
    for part in turn.get("content").iter().flat_map(|content| content.to_items()) {
        any |= is_thinking(&part);
        marks.extend(Some(&part).filter(|part| is_thinking(part)).into_iter().flat_map(signed));
    }
    let calls = turn.get("tool_calls");
    let calls = calls.as_ref().map(LazyJson::to_items).unwrap_or_default();
    for signature in calls.iter().chain([turn]).filter_map(signature) {
        any = true;
        marks.extend(Mark::signature(&signature));
    }
    // A signature says more than a text, which two providers may have in common.
    any.then_some(if marks.is_empty() { texts } else { marks })
}

/// The marks of a block that is signed or encrypted.
fn signed(block: &LazyJson<'_>) -> Vec<Mark> {
    let values = ["signature", "data"].map(|name| Mark::signature(&block.str_or_empty(name)));
    values.into_iter().flatten().collect()
}

/// The signature that Gemini's compatible API gives to a call, or to a message.
fn signature(node: &LazyJson<'_>) -> Option<String> {
    let extra = node.get(EXTRA)?;
    let google = extra.get("google")?;
    google.get(SIGNATURE)?.string()
}

pub(super) fn strip(turn: &mut LazyJson<'_>, position: Position) -> bool {
    for name in TEXTS.into_iter().chain(OTHERS) {
        turn.remove(name);
    }
    if turn.get("content").is_some_and(|content| content.to_items().iter().any(is_thinking)) {
        if let Some(parts) = turn.field("content").and_then(LazyJson::items) {
            parts.retain(|part| !is_thinking(part) && !is_blank_text(part));
        }
    }
    unsign(turn, false);
    if turn
        .get("tool_calls")
        .is_some_and(|calls| calls.to_items().iter().any(|call| signature(call).is_some()))
    {
        let calls = turn.field("tool_calls").and_then(LazyJson::items);
        calls.into_iter().flatten().for_each(|call| unsign(call, position.stand_in));
    }
    is_empty(turn)
}

/// Removes a signature, or replaces it by the stand-in.
fn unsign(node: &mut LazyJson<'_>, stand_in: bool) {
    if signature(node).is_none() {
        return;
    }
    let Some(extra) = node.field(EXTRA) else { return };
    let Some(google) = extra.field("google") else { return };
    if stand_in {
        google.set(SIGNATURE, LazyJson::of(STAND_IN));
        return;
    }
    google.remove(SIGNATURE);
    if google.fields().is_some_and(|fields| fields.is_empty()) {
        extra.remove("google");
    }
    if extra.fields().is_some_and(|fields| fields.is_empty()) {
        node.remove(EXTRA);
    }
}

/// Signs a call that has no signature with the stand-in. Returns whether it had none.
pub(super) fn sign(call: &mut LazyJson<'_>) -> bool {
    if signature(call).is_some() {
        return false;
    }
    call.set(EXTRA, LazyJson::of(format!(r#"{{"google":{{"{SIGNATURE}":{STAND_IN}}}}}"#)));
    true
}

/// Whether a message has neither text nor calls.
fn is_empty(turn: &LazyJson<'_>) -> bool {
    let blank = match turn.get("content") {
        None => true,
        Some(content) if content.is_list() => content.to_items().is_empty(),
        Some(content) => content.string().is_some_and(|text| text.trim().is_empty()),
    };
    let calls = turn.get("tool_calls").is_some_and(|calls| !calls.to_items().is_empty());
    let other = ["function_call", "audio", "refusal", "images"];
    blank && !calls && !other.iter().any(|name| turn.get(name).is_some())
}

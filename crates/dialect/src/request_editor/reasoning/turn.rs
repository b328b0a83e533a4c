//! The reasoning in one turn of the model: its marks, and its removal.

use super::{
    block::{Position, is_blank_text, is_thinking},
    chat, gemini,
};
use crate::{
    Dialect,
    lazy_json::LazyJson,
    marks::{Mark, MarkHasher, MarkKind},
};

/// The marks of the reasoning in a turn; `None` if it has no reasoning.
pub(super) fn marks(dialect: Dialect, turn: &LazyJson<'_>) -> Option<Vec<Mark>> {
    match dialect {
        Dialect::Anthropic => message_marks(turn),
        Dialect::OpenAiChat | Dialect::Ollama => chat::marks(turn),
        Dialect::OpenAiResponses => item_marks(turn),
        Dialect::Gemini => gemini::marks(turn),
    }
}

/// Removes the reasoning of a turn that has some. Returns whether nothing is left.
pub(super) fn strip(dialect: Dialect, turn: &mut LazyJson<'_>, position: Position) -> bool {
    match dialect {
        Dialect::Anthropic => strip_message(turn),
        Dialect::OpenAiChat | Dialect::Ollama => chat::strip(turn, position),
        // The item is all reasoning.
        Dialect::OpenAiResponses => true,
        Dialect::Gemini => gemini::strip(turn, position),
    }
}

fn message_marks(turn: &LazyJson<'_>) -> Option<Vec<Mark>> {
    if turn.str_or_empty("role") != "assistant" {
        return None;
    }
    let content = turn.get("content")?;
    let blocks = content.to_items();
    let mut thinking = blocks.iter().filter(|block| is_thinking(block)).peekable();
    thinking.peek()?;
    let (mut marks, mut text) = (Vec::new(), MarkHasher::new(MarkKind::Text));
    for block in thinking {
        let signed = ["signature", "data"].map(|name| Mark::signature(&block.str_or_empty(name)));
        marks.extend(signed.into_iter().flatten());
        text.write(block.str_or_empty("thinking").as_bytes());
    }
    // A signature says more than a text, which two providers may have in common.
    marks.extend(text.finish().filter(|_| marks.is_empty()));
    Some(marks)
}

fn strip_message(turn: &mut LazyJson<'_>) -> bool {
    let Some(blocks) = turn.field("content").and_then(LazyJson::items) else { return false };
    blocks.retain(|block| !is_thinking(block) && !is_blank_text(block));
    blocks.is_empty()
}

fn item_marks(item: &LazyJson<'_>) -> Option<Vec<Mark>> {
    if item.str_or_empty("type") != "reasoning" {
        return None;
    }
    let encrypted = Mark::signature(&item.str_or_empty("encrypted_content"));
    Some(encrypted.into_iter().chain(Mark::id(&item.str_or_empty("id"))).collect())
}

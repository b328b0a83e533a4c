//! The blocks of a turn, and where it stands.

use crate::lazy_json::LazyJson;

/// Where a turn stands in the conversation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    /// Whether its calls need a stand-in for the signature that is removed.
    pub(super) stand_in: bool,
}

/// Whether a block is thinking, readable or not.
pub(super) fn is_thinking(block: &LazyJson<'_>) -> bool {
    matches!(&*block.str_or_empty("type"), "thinking" | "redacted_thinking" | "reasoning")
}

/// Whether a block is a text without any letter, which APIs refuse.
pub(super) fn is_blank_text(block: &LazyJson<'_>) -> bool {
    block.str_or_empty("type") == "text" && block.str_or_empty("text").trim().is_empty()
}

//! The finish reasons that providers send, in all dialects.
//!
//! Servers that speak a dialect send the words of another, in any case of letters, so there is one list for all. It has the
//! reasons of valid answers and those of a provider that failed. A word that is in neither is not a success: the model, or the
//! server, stopped for a reason that only it knows.

use super::FinishReason;

/// The answer is complete, or calls tools.
const COMPLETE: &[&str] = &[
    "stop",
    "stopped",
    "eos",
    "eos_token",
    "eos_found",
    "eosFound",
    "eod",
    "end",
    "endoftext",
    "end_of_text",
    "normal",
    "complete",
    "completed",
    "finish",
    "finished",
    "done",
    "success",
    "tool",
    "tools",
    "tool_use",
    "tool_call",
    "tool_calls",
    "function",
    "function_call",
    "function_calls",
];

const END_OF_TURN: &[&str] = &["end_turn", "end_of_turn"];

const STOP_SEQUENCE: &[&str] = &[
    "stop_sequence",
    "stop_sequence_reached",
    "stop_str",
    "stop_string_found",
    "stop_token",
    "stop_criteria_met",
    "word",
];

/// A limit of the caller, of the model, or of its context. Ollama ends a call that only loads or unloads a model with the last
/// two.
const LIMIT: &[&str] = &[
    "length",
    "limit",
    "max_length",
    "max_output",
    "maximum_tokens",
    "max_tokens",
    "max_new_tokens",
    "max_output_tokens",
    "max_completion_tokens",
    "max_tool_calls",
    "model_length",
    "token_limit",
    "context_length",
    "context_window_exceeded",
    "model_context_window_exceeded",
    "error_limit",
    "load",
    "unload",
];

/// The content filter, or the model, refused.
const FILTERED: &[&str] = &[
    "content_filter",
    "content_filtered",
    "content_policy",
    "content_policy_violation",
    "guardrail_intervened",
    "moderation",
    "refusal",
    "safety",
    "recitation",
    "blocklist",
    "blacklist",
    "blocked",
    "prohibited_content",
    "spii",
    "sensitive",
    "error_toxic",
    "image_safety",
    "image_prohibited_content",
    "image_recitation",
];

/// The turn goes on in a further request.
const INTERRUPTED: &[&str] = &["pause_turn", "compaction"];

/// The provider failed while it answered: its network, its capacity, its time.
const FAILED: &[&str] = &[
    "error",
    "network_error",
    "internal_error",
    "server_error",
    "upstream_error",
    "failed",
    "abort",
    "aborted",
    "timeout",
    "overloaded",
    "insufficient_system_resource",
];

const TABLE: [(FinishReason, &[&str]); 7] = [
    (FinishReason::Complete, COMPLETE),
    (FinishReason::EndOfTurn, END_OF_TURN),
    (FinishReason::StopSequence, STOP_SEQUENCE),
    (FinishReason::Limit, LIMIT),
    (FinishReason::Filtered, FILTERED),
    (FinishReason::Interrupted, INTERRUPTED),
    (FinishReason::Failed, FAILED),
];

// === impl FinishReason ===

impl FinishReason {
    /// The meaning of a provider's word, in any case of letters.
    pub(crate) fn of(word: &str) -> Self {
        let word = word.trim();
        let known = |words: &&[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
        TABLE.iter().find(|(_, words)| known(words)).map_or(Self::Unknown, |(reason, _)| *reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_has_two_meanings() {
        let mut all: Vec<&str> =
            TABLE.iter().flat_map(|(_, words)| words.iter().copied()).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn the_case_of_letters_does_not_matter() {
        assert_eq!(FinishReason::of("STOP"), FinishReason::Complete);
        assert_eq!(FinishReason::of("MAX_TOKENS"), FinishReason::Limit);
        assert_eq!(FinishReason::of("OTHER"), FinishReason::Unknown);
        assert_eq!(FinishReason::of("function_call_filter: MALFORMED"), FinishReason::Unknown);
    }
}
